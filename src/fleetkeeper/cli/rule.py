"""`fleetkeeper rule …`: alert rules, as files that a repository keeps."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.overrides import service as overrides
from fleetkeeper.alerts.overrides.schemas import AlertOverrideWrite
from fleetkeeper.alerts.rule_files import service as rule_files
from fleetkeeper.alerts.rule_files.schemas import FileName, RuleFileImport, SyncedFile
from fleetkeeper.alerts.rule_files.syncing import FolderSync
from fleetkeeper.alerts.rules.schemas import AlertRuleRead, AlertRuleWrite
from fleetkeeper.alerts.rules.service import rules
from fleetkeeper.annotations.tags.service import find_tag
from fleetkeeper.cli.inputs import checked
from fleetkeeper.cli.running import command_actor, command_context, with_database, with_session
from fleetkeeper.cli.tables import AsJson, done, show, show_one
from fleetkeeper.database.engine import Database
from fleetkeeper.devices.finding import find_device
from fleetkeeper.errors import InvalidInputError, NotFoundError
from fleetkeeper.kit.durations import seconds_in
from fleetkeeper.settings import get_settings

app = typer.Typer(help="Alert rules.", no_args_is_help=True)

COLUMNS = ("name", "severity", "enabled", "origin", "for_seconds", "interval_seconds", "id")
RuleName = Annotated[str, typer.Argument(help="Name or ID of the rule")]


async def _find(session: AsyncSession, name: str) -> AlertRuleRead:
    try:
        return await rules.get(session, command_actor(), UUID(name))
    except ValueError:
        found = (await rules.list(session, command_actor(), [("name", name)])).results
    if len(found) != 1:
        raise NotFoundError(
            f"There is no alert rule {name!r}."
            if not found
            else f"Several rules are called {name!r}; give the ID."
        )
    return found[0]


def _why(error: Exception) -> str:
    """What is wrong with a file, without the number and name that the system adds."""
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _written(rule: AlertRuleRead) -> dict[str, object]:
    return rule.model_dump(mode="json", include=set(AlertRuleWrite.model_fields))


@app.command(name="list")
def list_rules(*, as_json: AsJson = False) -> None:
    """List alert rules by name."""

    async def read(session: AsyncSession) -> list[AlertRuleRead]:
        return (await rules.list(session, command_actor(), [("limit", "1000")], is_counted=False)).results

    show(with_session(read), COLUMNS, as_json=as_json)


@app.command(name="show")
def show_rule(name: RuleName, *, as_json: AsJson = False) -> None:
    """Show a rule; with --json as `fleetkeeper rule apply` reads it."""

    async def read(session: AsyncSession) -> AlertRuleRead:
        return await _find(session, name)

    found = with_session(read)
    if as_json:
        typer.echo(json.dumps(_written(found), indent=2))
        return
    show_one(found, as_json=False)


@app.command()
def apply(
    file: Annotated[
        Path, typer.Argument(help="JSON of a rule, as `rule show --json` writes it; - for the input")
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Create a rule from a file, or change the one with its name."""
    try:
        text = typer.get_text_stream("stdin").read() if str(file) == "-" else file.read_text()
        given = json.loads(text)
    except (OSError, ValueError) as error:
        raise InvalidInputError(f"{file} cannot be read: {_why(error)}") from None
    if not isinstance(given, dict):
        raise InvalidInputError("The file holds one rule: a JSON object.")
    wanted = checked(AlertRuleWrite, **given)

    async def keep(session: AsyncSession) -> AlertRuleRead:
        actor = command_actor()
        found = (await rules.list(session, actor, [("name", wanted.name)])).results
        own = [one for one in found if one.department_id == wanted.department_id and one.origin != "file"]
        if own:
            return await rules.change(session, actor, own[0].id, wanted)
        return await rules.create(session, actor, wanted)

    show_one(with_session(keep), as_json=as_json)


@app.command()
def enable(name: RuleName, *, as_json: AsJson = False) -> None:
    """Enable a rule."""
    _set(name, enabled=True, as_json=as_json)


@app.command()
def disable(name: RuleName, *, as_json: AsJson = False) -> None:
    """Disable a rule. Its firing alerts are resolved."""
    _set(name, enabled=False, as_json=as_json)


def _set(name: str, *, enabled: bool, as_json: bool) -> None:
    async def change(session: AsyncSession) -> AlertRuleRead:
        found = await _find(session, name)
        return await rules.enable(session, command_actor(), found.id, is_enabled=enabled)

    found = with_session(change)
    done(f"{found.name} is {'enabled' if enabled else 'disabled'}.", as_json=as_json)


@app.command()
def override(
    name: RuleName,
    *,
    device: Annotated[str | None, typer.Option(help="Name or ID of a device")] = None,
    tag: Annotated[str | None, typer.Option(help="Slug of a tag: all devices with it")] = None,
    threshold: Annotated[float | None, typer.Option(help="Instead of the rule's threshold")] = None,
    recovery: Annotated[float | None, typer.Option(help="Instead of the rule's recovery threshold")] = None,
    pending: Annotated[
        str | None, typer.Option("--for", help="Instead of the rule's pending period, such as 10m")
    ] = None,
    severity: Annotated[str | None, typer.Option(help="Instead of the rule's severity")] = None,
    off: Annotated[bool, typer.Option("--off", help="The rule does not apply there")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="The rule applies there as it is")] = False,
    as_json: AsJson = False,
) -> None:
    """Set what is different from a rule for one device or tag, or remove it."""
    values = {"threshold": threshold, "recovery": recovery, "severity": severity, "enabled": not off}
    if pending is not None:
        values["for_seconds"] = _seconds(pending)

    async def keep(session: AsyncSession) -> str:
        actor = command_actor()
        rule = await _find(session, name)
        device_id = await find_device(session, actor, device) if device else None
        tag_id = (await find_tag(session, tag)).id if tag else None
        whom = f"{rule.name} on {device or f'devices with the tag {tag}'}"
        if remove:
            present = await overrides.find(session, actor, rule.id, device_id, tag_id)
            if present is None:
                raise NotFoundError(f"There is no override of {whom}.")
            await overrides.delete(session, actor, rule.id, present.id)
            return f"{whom}: as the rule says."
        wanted = checked(AlertOverrideWrite, device_id=device_id, tag_id=tag_id, **values)
        await overrides.put(session, actor, rule.id, wanted)
        return f"{whom}: {overrides.override_words(rule, wanted)}."

    done(with_session(keep), as_json=as_json)


def _seconds(text: str) -> int:
    try:
        return seconds_in(text)
    except ValueError:
        raise InvalidInputError("--for is a duration such as 30s, 5m or 1h.") from None


@app.command()
def delete(
    name: RuleName,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation")] = False,
    reason: Annotated[str, typer.Option(help="Why; kept in the audit log")] = "",
    as_json: AsJson = False,
) -> None:
    """Delete a rule. Its firing alerts are resolved; past alerts stay in the log."""

    async def read(session: AsyncSession) -> AlertRuleRead:
        return await _find(session, name)

    found = with_session(read)
    if not yes:
        typer.confirm(f"Delete {found.name}? Its alerts are resolved.", abort=True)

    async def remove(session: AsyncSession) -> None:
        await rules.delete(session, command_actor(), found.id)

    with_session(remove, reason)
    done(f"Deleted the rule {found.name}.", as_json=as_json)


class _Named(BaseModel):
    file: FileName


@app.command(name="import")
def import_files(
    files: Annotated[list[Path], typer.Argument(help="Prometheus rule files")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done")] = False,
    as_json: AsJson = False,
) -> None:
    """Replace the rules of Prometheus rule files; rules that are gone from them are deleted."""
    contents = {}
    for file in files:
        name = checked(_Named, file=file.name).file
        if name in contents:
            raise InvalidInputError(f"Two files are called {name}; a file is known by its name.")
        try:
            contents[name] = rule_files.read(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInputError(f"{file} cannot be read: {_why(error)}") from None

    async def keep(session: AsyncSession) -> list[RuleFileImport]:
        return [
            await rule_files.import_file(session, command_actor(), name, content, is_dry_run=dry_run)
            for name, content in contents.items()
        ]

    _show_imports(with_session(keep), as_json=as_json)


@app.command(name="sync")
def sync_files(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring rules in step with the folder of FLEETKEEPER_ALERTS__RULE_FILES now."""
    folder = get_settings().alerts.rule_files
    if folder is None:
        raise InvalidInputError("No folder of rule files is set; name one in FLEETKEEPER_ALERTS__RULE_FILES.")

    async def sync(database: Database) -> list[SyncedFile]:
        by = FolderSync(database, command_context(), command_actor(), is_complete=True, is_dry_run=dry_run)
        return await by.sync(folder)

    results = with_database(sync)
    _show_imports(results, as_json=as_json)
    wrong = [one for one in results if one.error]
    for one in wrong:
        typer.echo(f"{one.file} was not imported:\n{one.error}", err=True)
    if wrong:
        raise typer.Exit(1)


def _show_imports(results: Sequence[RuleFileImport], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([one.model_dump(mode="json") for one in results], indent=2))
        return
    for result in results:
        typer.echo(f"{result.file}{' (dry run)' if result.dry_run else ''}")
        for group in result.groups:
            for one in group.rules:
                more = ", ".join(one.changes)
                typer.echo(f"  {one.outcome:9} {group.name}: {one.name}{f' ({more})' if more else ''}")


@app.command()
def export(
    file: Annotated[
        str | None, typer.Option("--file", help="An imported file; by default the PromQL rules made here")
    ] = None,
) -> None:
    """Write alert rules as a Prometheus rule file."""

    async def read(session: AsyncSession) -> str:
        return await rule_files.export_file(session, command_actor(), file)

    typer.echo(with_session(read), nl=False)
