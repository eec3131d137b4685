"""`fleetkeeper routes`: every HTTP door, what it asks for, and which built-in roles have that."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from fastapi.routing import iter_route_contexts

from fleetkeeper.app import create_app
from fleetkeeper.devices.access import calling_device, connecting_device
from fleetkeeper.identity.access import signed_in, signed_in_to_enrol
from fleetkeeper.identity.permissions import ROLE_PERMISSIONS, SCOPED, Permission, Role
from fleetkeeper.routes import PUBLIC_ROUTES
from fleetkeeper.settings import Settings

_HEAD = "| method | path | asks for |"
# Served in front of the web framework.
INGEST = ("POST", "/api/v1/telemetry")


@dataclass(frozen=True, order=True)
class Door:
    """One method of one path. `guard` is a permission, `signed in`, `device key` or `public`."""

    path: str
    method: str
    guard: str

    def is_open_to(self, role: Role) -> bool:
        """Whether somebody with a role may call it, in their departments at least."""
        if self.guard == "device key":
            return False
        return self.guard in {"public", "signed in"} or self.guard in ROLE_PERMISSIONS[role]


def _guards(dependant: Any) -> Iterator[str]:
    for item in dependant.dependencies:
        permission = getattr(item.call, "permission", None)
        if isinstance(permission, Permission):
            yield str(permission)
        elif item.call in {calling_device, connecting_device}:
            yield "device key"
        elif item.call in {signed_in, signed_in_to_enrol}:
            yield "signed in"
        yield from _guards(item)


def doors() -> list[Door]:
    """All of them, by path."""
    application = create_app(Settings(), "postgresql://nobody@localhost/nothing").app.app
    found = {Door(INGEST[1], INGEST[0], "device key")}
    for route in iter_route_contexts(application.routes):
        guards = list(_guards(getattr(route, "dependant", None) or _Nothing()))
        guard = guards[0] if guards else "public" if str(route.path) in PUBLIC_ROUTES else "none"
        found |= {
            Door(str(route.path), method, guard)
            for method in getattr(route, "methods", None) or {"GET"}
            if method != "HEAD"
        }
    return sorted(found)


class _Nothing:
    dependencies = ()


def routes_table() -> str:
    """All doors by all roles, as a Markdown table. A dot marks what a role may call."""
    roles = sorted(Role)
    lines = [
        f"{_HEAD} {' | '.join(roles)} |",
        f"|---|---|---|{':-:|' * len(roles)}",
    ]
    for door in doors():
        marks = " | ".join("●" if door.is_open_to(role) else "" for role in roles)
        where = "" if door.guard not in SCOPED else " *"
        lines.append(f"| {door.method} | `{door.path}` | {door.guard}{where} | {marks} |")
    return "\n".join(lines)


def print_routes(
    write: Annotated[
        Path | None, typer.Option(help="A Markdown file whose table of routes is replaced", dir_okay=False)
    ] = None,
) -> None:
    """Print every route with the permission that it needs, and the built-in roles that have it."""
    table = routes_table()
    if write is None:
        typer.echo(table)
        return
    before, found, _ = write.read_text().partition(_HEAD)
    if not found:
        raise typer.BadParameter(f"{write} has no table that begins with “{_HEAD}”.")
    write.write_text(f"{before}{table}\n")
