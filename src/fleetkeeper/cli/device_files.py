"""`fleetkeeper device import` and `export`: devices from and to files."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.audit.recorder import record_event
from fleetkeeper.cli.inputs import checked
from fleetkeeper.cli.running import command_actor, command_context, with_database, with_session
from fleetkeeper.cli.tables import AsJson, done, print_table, show, show_one
from fleetkeeper.database.engine import Database
from fleetkeeper.database.exports import PAGE
from fleetkeeper.devices.importing import exporting, running, service
from fleetkeeper.devices.importing.checking import dry_run
from fleetkeeper.devices.importing.schemas import ImportRead, ImportWrite, ItemRead
from fleetkeeper.devices.service import silence_allowed
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.table_files import KINDS, table_file
from fleetkeeper.settings import get_settings

_LEFT_OUT = ("", "-", "none")
_SHOWN = 200


def import_devices(
    file: Annotated[Path, typer.Argument(help="CSV, XLSX, JSON or YAML file")],
    mapped: Annotated[
        list[str] | None,
        typer.Option("--map", help="COLUMN=FIELD; repeatable; an empty FIELD leaves the column out"),
    ] = None,
    identify_by: Annotated[
        str,
        typer.Option(
            "--identify-by",
            help="name, serial_number, asset_tag, or the field of the device ID; default: guessed",
        ),
    ] = "",
    existing: Annotated[str, typer.Option(help="update or leave devices that exist")] = "update",
    empty_cells: Annotated[
        str, typer.Option("--empty-cells", help="keep or clear values of empty cells")
    ] = "keep",
    reason: Annotated[str, typer.Option(help="Reason, for the audit log; required with --apply")] = "",
    *,
    whole: Annotated[bool, typer.Option("--all-or-nothing", help="Import all rows or none")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Import what the dry run shows")] = False,
    dry: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change; change nothing; the default")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Import devices from a file. Without --apply, only show what each row would do."""
    if apply and (dry or not reason.strip()):
        cure = "Leave out --dry-run" if dry else "Add --reason TEXT"
        raise InvalidInputError("Nothing was imported.", fields=[FieldError("--apply", cure)])
    content = _content_of(file)
    identify_by = {"serial": "serial_number"}.get(identify_by, identify_by)

    async def look(session: AsyncSession) -> ImportRead:
        actor = command_actor()
        made = await service.upload(session, actor, file.name, content)
        options = {"identify_by": identify_by} if identify_by else {}
        wanted = checked(
            ImportWrite,
            mapping=_mapping(made, mapped or []),
            existing=existing,
            empty_cells=empty_cells,
            all_or_nothing="file" if whole else "row",
            **{"identify_by": made.identify_by} | options,
        )
        await service.change_import(session, actor, made.id, wanted)
        await dry_run(session, actor, made.id)
        return await service.get_import(session, actor, made.id)

    with _busy("Reading and checking the file", as_json=as_json):
        made = with_session(look)
    if apply and made.counts.get("create", 0) + made.counts.get("update", 0):
        made = _work(made.id, running.APPLY, reason.strip(), as_json=as_json)
    _tell(made, as_json=as_json)
    if not apply:
        with_session(lambda session: service.delete_import(session, command_actor(), made.id))
    if made.status == "failed" or made.counts.get("failed") or (apply and made.counts.get("wrong")):
        raise typer.Exit(1)


def undo_import(
    import_id: Annotated[str, typer.Argument(help="ID of the import")],
    reason: Annotated[str, typer.Option(help="Reason, for the audit log; required")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Undo an import: delete devices that it created, restore those that it changed, unless they changed since."""
    if not reason.strip():
        raise InvalidInputError("Nothing was undone.", fields=[FieldError("--reason", "Add --reason TEXT")])
    try:
        key = UUID(import_id)
    except ValueError:
        wrong = FieldError(
            "IMPORT_ID", "Must be the ID of an import; `fleetkeeper device imports` lists them"
        )
        raise InvalidInputError("Nothing was undone.", fields=[wrong]) from None
    _tell(_work(key, running.UNDO, reason.strip(), as_json=as_json), as_json=as_json)


def list_imports(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Maximum number of rows")] = 100,
    *,
    as_json: AsJson = False,
) -> None:
    """List imports of devices, newest first."""

    async def read(session: AsyncSession) -> list[ImportRead]:
        page = await service.list_imports(session, command_actor(), [("limit", str(limit))])
        return list(page.results)

    columns = ("id", "file_name", "status", "row_count", "counts", "owner", "created_at")
    show(with_session(read), columns, as_json=as_json)


def export_devices(
    file: Annotated[Path, typer.Argument(help="File to write: .csv, .xlsx, .json or .yaml")],
    filters: Annotated[
        list[str] | None,
        typer.Option("--filter", help="FIELD=VALUE as in the API, such as device_type=vm; repeatable"),
    ] = None,
    q: Annotated[str, typer.Option("--q", help="Part of a name, an address or a serial number")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Export devices in the columns that `device import` takes. The export is logged in the audit log."""
    kind = {"yml": "yaml"}.get(file.suffix[1:].lower(), file.suffix[1:].lower())
    if kind not in KINDS:
        raise InvalidInputError(
            "The file is wrong.", fields=[FieldError("FILE", f"Must end in .{', .'.join(KINDS)}")]
        )
    if not file.parent.is_dir():
        wrong = FieldError("FILE", f"There is no folder {file.parent}; create it first")
        raise InvalidInputError("The file is wrong.", fields=[wrong])
    asked = [_pair(one, "--filter") for one in filters or []] + ([("q", q)] if q else [])
    with _busy("Exporting devices", as_json=as_json):
        number = with_database(lambda database: _export(database, file, kind, asked))
    done(f"Exported {number:,} device{'' if number == 1 else 's'} to {file}.", as_json=as_json)


async def _export(database: Database, file: Path, kind: str, asked: list[tuple[str, str]]) -> int:
    actor, count = command_actor(), 0
    async with database.session(command_context()) as session:
        columns = await exporting.columns_for(session, actor)
        stale_before = utc_now() - await silence_allowed(session, get_settings())
        details: dict[str, Any] = {"format": kind, "filters": dict(asked)}
        await record_event(session, "devices.export", "devices", details=details)

    async def pages() -> AsyncIterator[list[dict[str, Any]]]:
        nonlocal count
        cursor = ""
        while True:
            wanted = [*asked, ("limit", str(PAGE)), ("cursor", cursor)]
            async with database.session(command_context()) as session:
                page = await exporting.list_rows(session, actor, wanted, stale_before=stale_before)
            count += len(page.results)
            yield [dict(one) for one in page.results]
            if page.next is None:
                return
            cursor = parse_qs(page.next.partition("?")[2])["cursor"][0]

    # Whoever reads the file meanwhile shall not take a part for the whole.
    unfinished = file.with_name(f"{file.name}.part")
    try:
        with unfinished.open("wb") as target:
            async for block in table_file(pages(), columns.names, kind):
                await asyncio.to_thread(target.write, block)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
    return count


def _content_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        wrong = FieldError("FILE", f"Cannot be read: {error.strerror}")
        raise InvalidInputError("Nothing was imported.", fields=[wrong]) from None


def _pair(text: str, option: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise InvalidInputError("An option is not valid.", fields=[FieldError(option, "Must be NAME=VALUE")])
    return name, value


def _mapping(made: ImportRead, mapped: list[str]) -> dict[str, str | None]:
    """The guessed mapping with what was given; a field goes from the column that was guessed."""
    given = dict(_pair(one, "--map") for one in mapped)
    told = {column: None if field in _LEFT_OUT else field for column, field in given.items()}
    taken = set(told.values())
    kept = {column: field for column, field in made.mapping.items() if field not in taken}
    return kept | told


def _work(key: UUID, name: str, reason: str, *, as_json: bool) -> ImportRead:
    """Apply or undo an import here and now, with a progress bar."""
    title = "Importing" if name == running.APPLY else "Undoing"
    with _busy(title, as_json=as_json) as tell:

        async def act(database: Database) -> ImportRead:
            actor = command_actor()
            async with database.session(command_context(reason)) as session:
                begin = running.begin_applying if name == running.APPLY else running.begin_undoing
                await begin(session, actor, key, reason)

            async def advance(position: int, total: int) -> None:
                tell(position, total)

            await running.carry_out(database, actor, key, name, reason, advance)
            async with database.session(command_context()) as session:
                return await service.get_import(session, actor, key)

        return with_database(act)


@contextmanager
def _busy(title: str, *, as_json: bool) -> Any:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn())
    with Progress(*columns, console=Console(stderr=True), disable=as_json, transient=True) as progress:
        bar = progress.add_task(title, total=None)

        def tell(position: int, total: int) -> None:
            progress.update(bar, completed=position, total=total or None)

        yield tell


def _tell(made: ImportRead, *, as_json: bool) -> None:
    if as_json:
        show_one(made, as_json=True)
        return

    async def read(session: AsyncSession) -> list[ItemRead]:
        asked = [("limit", str(_SHOWN)), ("outcome__in", "create,update,wrong")]
        return list((await service.list_items(session, command_actor(), made.id, asked)).results)

    rows = [
        (one.position, one.name, one.undone or one.result or one.outcome, _words(one))
        for one in with_session(read)
    ]
    print_table(("Row", "Name", "Outcome", "Details"), rows)
    typer.echo(f"{made.file_name}: {', '.join(f'{number:,} {name}' for name, number in made.counts.items())}")
    for note in (*made.notes, made.problem):
        if note:
            typer.echo(note)
    if made.applied_at is not None and made.undone_at is None:
        typer.echo(f"Undo it with: fleetkeeper device undo-import {made.id} --reason TEXT")


def _words(item: ItemRead) -> str:
    told = [f"{one.field}: {one.message}" for one in item.problems]
    told += [
        f"{one.field}: {one.before or '(empty)'} → {one.after or '(empty)'}"
        for one in item.changes
        if not told
    ]
    return "; ".join([item.detail, *told] if item.detail else told)


COMMANDS: dict[str, Callable[..., None]] = {
    "import": import_devices,
    "imports": list_imports,
    "undo-import": undo_import,
    "export": export_devices,
}
