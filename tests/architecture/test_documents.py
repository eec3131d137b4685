"""The documents are a contract: what they name answers on the database, or is on the list of what is missing."""

import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import errors, sql

CONTRACT = tomllib.loads((Path(__file__).parent / "documents.toml").read_text())
# What PostgreSQL says of a name that nothing has. Any other error is one of the contract itself.
UNKNOWN = (errors.UndefinedTable, errors.UndefinedColumn, errors.UndefinedFunction)


class Answers:
    """What a database knows of the contract; nothing of what is asked stays done."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def knows(self, statement: str | sql.Composed) -> bool:
        with suppress(*UNKNOWN), self._connection.transaction(force_rollback=True):
            self._connection.execute(statement)
            return True
        return False

    def has_relation(self, name: str) -> bool:
        return self.knows(sql.SQL("SELECT FROM {} LIMIT 0").format(sql.Identifier(name)))

    def has_column(self, relation: str, column: str) -> bool:
        # Qualified, since some words are functions when they stand alone.
        return self.knows(
            sql.SQL("SELECT r.{} FROM {} AS r LIMIT 0").format(
                sql.Identifier(column), sql.Identifier(relation)
            )
        )


def _of_all(kind: str) -> Iterator[tuple[str, Any]]:
    for document in CONTRACT["documents"].values():
        part = document[kind]
        yield from part.items() if isinstance(part, dict) else ((item, item) for item in part)


def missing(connection: psycopg.Connection) -> dict[str, list[str]]:
    """What the documents name and the database does not know."""
    answers = Answers(connection)
    columns: dict[str, dict[str, None]] = {}
    for relation, names in _of_all("relations"):
        columns.setdefault(relation, {}).update(dict.fromkeys(names))
    absent = [relation for relation in columns if not answers.has_relation(relation)]
    return {
        "relations": sorted(absent),
        "columns": sorted(
            f"{relation}.{column}"
            for relation, names in columns.items()
            if relation not in absent
            for column in names
            if not answers.has_column(relation, column)
        ),
        "functions": sorted(
            call.partition("(")[0]
            for call, _ in _of_all("functions")
            if not answers.knows(f"SELECT * FROM {call} AS f")
        ),
        "queries": sorted(name for name, query in _of_all("queries") if not answers.knows(query)),
    }


@pytest.fixture
def owner(shared_database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(shared_database_url, autocommit=True) as connection:
        yield connection


def test_what_does_not_answer_is_listed_and_nothing_else(owner):
    assert missing(owner) == CONTRACT["missing"]


def test_a_name_that_nothing_has_is_found(owner):
    answers = Answers(owner)
    assert answers.has_column("devices", "hostname")
    assert not answers.has_column("devices", "no_such_column")
    assert not answers.has_relation("no_such_relation")
    assert not answers.knows("SELECT no_such_function()")
