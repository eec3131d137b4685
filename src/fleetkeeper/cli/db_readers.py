"""`fleetkeeper db grant|revoke|readers`: logins of the database for Grafana, notebooks and collectors."""

import json
from typing import Annotated

import psycopg
import typer

from fleetkeeper.cli.running import command_context, reachable_url
from fleetkeeper.cli.tables import print_table
from fleetkeeper.database import readers as database_readers
from fleetkeeper.database.logins import with_login
from fleetkeeper.database.roles import READER_ROLES
from fleetkeeper.errors import StartupError

_DEPARTMENT = """
    WITH RECURSIVE paths AS (
        SELECT id, name::text AS path FROM departments WHERE parent_id IS NULL
        UNION ALL
        SELECT d.id, p.path || '/' || d.name FROM departments d JOIN paths p ON d.parent_id = p.id
    )
    SELECT id::text FROM paths WHERE path = %(wanted)s OR id::text = %(wanted)s
"""
_READERS = """
    WITH RECURSIVE paths AS (
        SELECT id, name::text AS path FROM departments WHERE parent_id IS NULL
        UNION ALL
        SELECT d.id, p.path || '/' || d.name FROM departments d JOIN paths p ON d.parent_id = p.id
    )
    SELECT r.login, r.database_role, CASE WHEN r.sees_all THEN 'all' ELSE coalesce(p.path, 'none') END,
           r.created_at::text
    FROM database_readers r LEFT JOIN paths p ON p.id = r.department_id ORDER BY r.login
"""
AsJson = Annotated[bool, typer.Option("--json", help="Output JSON")]


def grant(
    login: Annotated[str, typer.Argument(help="Name of the login, such as grafana")],
    role: Annotated[str, typer.Option(help=f"One of {', '.join(READER_ROLES)}")] = "dashboard_readonly",
    department: Annotated[
        str | None, typer.Option(help="Limit to a department, as Company/Region or its ID")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Create a login with one of the database's reader roles and print its URL. It cannot be shown again.

    An existing login gets a new password and the new limits.
    """
    url = reachable_url(as_administrator=True)
    department_id = None
    if department is not None:
        with psycopg.connect(url) as connection:
            row = connection.execute(_DEPARTMENT, {"wanted": department}).fetchone()
        if row is None:
            raise StartupError(f"There is no department {department!r}; give its path, as in Company/Region.")
        department_id = row[0]
    password = database_readers.grant_reader(url, login, role, department_id, command_context())
    granted = with_login(url, login, password)
    typer.echo(
        json.dumps({"login": login, "role": role, "department": department, "url": granted})
        if as_json
        else granted
    )


def revoke(login: str) -> None:
    """Remove a reader's login and end its connections."""
    database_readers.revoke_reader(reachable_url(as_administrator=True), login, command_context())
    typer.echo(f"{login} can no longer connect.")


def readers(*, as_json: AsJson = False) -> None:
    """List the readers' logins."""
    with psycopg.connect(reachable_url(as_administrator=True)) as connection:
        rows = connection.execute(_READERS).fetchall()
    if as_json:
        names = ("login", "role", "department", "created_at")
        typer.echo(json.dumps([dict(zip(names, row, strict=True)) for row in rows]))
        return
    print_table(("Login", "Role", "Department", "Created at"), rows)
