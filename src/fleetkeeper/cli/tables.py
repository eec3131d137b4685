"""How commands print what they found: JSON for machines, a table for people."""

import json
from collections.abc import Sequence
from typing import Annotated

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.markup import escape
from rich.table import Table

AsJson = Annotated[bool, typer.Option("--json", help="For machines")]


def show(rows: Sequence[BaseModel], columns: Sequence[str], *, as_json: bool) -> None:
    """Print objects: all of them as JSON, or these fields as a table."""
    if as_json:
        typer.echo(json.dumps([row.model_dump(mode="json") for row in rows]))
        return
    table = Table(*(name.replace("_", " ").capitalize() for name in columns))
    for row in rows:
        values = row.model_dump(mode="json")
        table.add_row(*(escape(_text(values[name])) for name in columns))
    Console().print(table)


def show_one(row: BaseModel, *, as_json: bool) -> None:
    """Print one object with all its fields."""
    if as_json:
        typer.echo(json.dumps(row.model_dump(mode="json")))
        return
    table = Table(show_header=False)
    for name, value in row.model_dump(mode="json").items():
        table.add_row(name.replace("_", " ").capitalize(), escape(_text(value)))
    Console().print(table)


def done(message: str, *, as_json: bool) -> None:
    """Say that something was done; machines get it as JSON."""
    typer.echo(json.dumps({"done": message}) if as_json else message)


def _text(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "\n".join(_text(item) for item in value) or "-"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(item)}" for name, item in value.items() if item is not None)
    # Control characters from outside must not reach the terminal.
    return "".join(mark if mark.isprintable() else "�" for mark in str(value))
