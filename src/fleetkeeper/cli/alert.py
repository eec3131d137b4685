"""`fleetkeeper alert …`: what fires, and what is done about it."""

from datetime import timedelta
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.log import service
from fleetkeeper.alerts.log.schemas import AlertAct, AlertActResult, AlertDetail, AlertRead
from fleetkeeper.cli.inputs import checked
from fleetkeeper.cli.running import command_actor, with_session
from fleetkeeper.cli.tables import AsJson, done, show, show_one
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.kit.clock import utc_now

app = typer.Typer(help="Alerts.", no_args_is_help=True)

COLUMNS = ("alert_id", "severity", "status", "name", "device_name", "triggered_at", "last_value")
Ids = Annotated[list[int] | None, typer.Argument(help="Numbers of alerts")]
Matching = Annotated[
    str | None, typer.Option(help="Filters of the list of alerts, such as “severity=critical&q=web”")
]
NoteText = Annotated[str, typer.Option("--note", help="A note for the alert's timeline")]


@app.command(name="list")
def list_alerts(
    status: Annotated[
        str, typer.Option(help="firing, acknowledged, snoozed, resolved, open or all")
    ] = "open",
    severity: Annotated[str | None, typer.Option(help="info, warning, high or critical")] = None,
    query: Annotated[str | None, typer.Option("--query", help="Part of a name")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    *,
    as_json: AsJson = False,
) -> None:
    """List alerts, newest first; open alerts by default."""
    parameters = [("limit", str(limit))]
    if status == "open":
        parameters.append(("resolved_at__isnull", "true"))
    elif status != "all":
        parameters.append(("status", status))
    parameters += [("severity", severity)] if severity else []
    parameters += [("q", query)] if query else []

    async def read(session: AsyncSession) -> list[AlertRead]:
        return (await service.list_alerts(session, command_actor(), parameters)).results

    show(with_session(read), COLUMNS, as_json=as_json)


@app.command(name="show")
def show_alert(
    alert_id: Annotated[int, typer.Argument(min=1, max=2**63 - 1)], *, as_json: AsJson = False
) -> None:
    """Show an alert and its timeline."""

    async def read(session: AsyncSession) -> AlertDetail:
        return await service.get_alert(session, command_actor(), alert_id)

    found = with_session(read)
    if as_json:
        show_one(found, as_json=True)
        return
    show_one(AlertRead(**found.model_dump(exclude={"events"})), as_json=False)
    typer.echo()
    show(found.events, ("at", "kind", "actor", "note"), as_json=False)


@app.command()
def acknowledge(
    ids: Ids = None, matching: Matching = None, note: NoteText = "", *, as_json: AsJson = False
) -> None:
    """Acknowledge alerts: notifications stop repeating and do not escalate."""
    _act("acknowledge", ids, matching, as_json=as_json, note=note)


@app.command()
def snooze(
    ids: Ids = None,
    matching: Matching = None,
    minutes: Annotated[int, typer.Option(min=1, max=525_600)] = 60,
    note: NoteText = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Snooze alerts."""
    until = utc_now() + timedelta(minutes=minutes)
    _act("snooze", ids, matching, as_json=as_json, note=note, until=until)


@app.command()
def resolve(
    ids: Ids = None, matching: Matching = None, note: NoteText = "", *, as_json: AsJson = False
) -> None:
    """End alerts. What is still true fires again with the next evaluation."""
    _act("resolve", ids, matching, as_json=as_json, note=note)


@app.command()
def comment(
    ids: Ids = None, matching: Matching = None, note: NoteText = "", *, as_json: AsJson = False
) -> None:
    """Add a comment to alerts."""
    _act("comment", ids, matching, as_json=as_json, note=note)


def _act(act: str, ids: list[int] | None, matching: str | None, *, as_json: bool, **more: Any) -> None:
    if bool(ids) == bool(matching):
        cure = "Give either numbers or --matching"
        raise InvalidInputError("No alerts are chosen.", fields=[FieldError("--matching", cure)])
    wanted = checked(AlertAct, act=act, alert_ids=ids or None, matching=matching, **more)

    async def work(session: AsyncSession) -> AlertActResult:
        return await service.act(session, command_actor(), wanted)

    result = with_session(work)
    if as_json:
        show_one(result, as_json=True)
        return
    for one in result.results:
        if one.outcome == "refused":
            typer.echo(f"{one.alert_id}: {one.detail}", err=True)
    done(f"{result.changed} alerts changed, {result.unchanged} were so already.", as_json=False)
    if result.refused:
        raise typer.Exit(1)
