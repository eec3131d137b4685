"""`fleetkeeper settings`: every setting with its variable, default and meaning."""

import json
from collections.abc import Iterator

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from fleetkeeper.settings import Settings


def walk_settings(
    model: type[BaseModel] = Settings, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, FieldInfo]]:
    """Each setting's environment variable and field."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from walk_settings(kind, (*path, name))
        else:
            yield "FLEETKEEPER_" + "__".join((*path, name)).upper(), field


def settings_table() -> str:
    """All settings as a Markdown table."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for variable, field in walk_settings():
        default = None if field.default is PydanticUndefined else field.default
        # As the variable would hold it: lists and truth values are JSON.
        shown = json.dumps(default) if isinstance(default, bool | list) else str(default)
        shown = "" if default is None else f"`{shown}`"
        lines.append(f"| `{variable}` | {shown} | {field.description} |")
    return "\n".join(lines)


def print_settings() -> None:
    """Print every setting with its environment variable, default and meaning."""
    typer.echo(settings_table())
