"""How commands print what they found: JSON for machines, a table for people."""

import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from pydantic import BaseModel

from fleetkeeper.cli.grid import laid_out
from fleetkeeper.kit.text import printable

_ACRONYMS = {"id": "ID", "ip": "IP", "os": "OS", "cpu": "CPU", "fqdn": "FQDN"}
AsJson = Annotated[bool, typer.Option("--json", help="Output JSON")]


def show(rows: Sequence[BaseModel], columns: Sequence[str], *, as_json: bool) -> None:
    """Print objects: all of them as JSON, or these fields as a table."""
    if as_json:
        typer.echo(json.dumps([row.model_dump(mode="json") for row in rows]))
        return
    values = [row.model_dump(include=set(columns)) for row in rows]
    print_table([_head(name) for name in columns], [[value[name] for name in columns] for value in values])


def show_one(row: BaseModel, *, as_json: bool) -> None:
    """Print one object with all its fields."""
    if as_json:
        typer.echo(json.dumps(row.model_dump(mode="json")))
        return
    fields = [(_head(name), _text(value)) for name, value in row.model_dump().items()]
    room = max(len(name) for name, _ in fields)
    for name, value in fields:
        typer.echo(f"{name:{room}}  {value}".rstrip())


def print_table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table of any values, as wide as the terminal, or in a pipe as wide as it is."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in laid_out(heads, [[_text(value) for value in row] for row in rows], width):
        typer.echo(line)


def done(message: str, *, as_json: bool) -> None:
    """Say that something was done; machines get it as JSON."""
    typer.echo(json.dumps({"done": message}) if as_json else message)


def _head(name: str) -> str:
    first, *rest = (_ACRONYMS.get(word, word) for word in name.split("_"))
    return " ".join((first[:1].upper() + first[1:], *rest))


def _text(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(_text(item) for item in value) or "-"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(item)}" for name, item in value.items() if item is not None) or "-"
    # Control characters from outside must not reach the terminal.
    return printable(str(value))
