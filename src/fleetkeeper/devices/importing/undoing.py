"""Takes an import back: what it created is deleted, what it changed gets its old values, unless it changed since."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.context import TransactionContext
from fleetkeeper.database.engine import Database
from fleetkeeper.database.status_history import move
from fleetkeeper.devices.deleting import ask_for_deletions
from fleetkeeper.devices.importing import queries
from fleetkeeper.devices.importing.applying import CHUNK, Tell
from fleetkeeper.devices.importing.checking import options_of
from fleetkeeper.devices.importing.entering import enter_changes, remove_parts, set_mac
from fleetkeeper.devices.importing.fields import PARTS
from fleetkeeper.devices.importing.known import Known, read_known
from fleetkeeper.devices.importing.models import DeviceImport, DeviceImportRow
from fleetkeeper.devices.importing.present import Present, present_devices
from fleetkeeper.devices.importing.service import locked
from fleetkeeper.devices.importing.status import IMPORTS, ImportStatus
from fleetkeeper.devices.importing.values import read_values
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.bulk import Selection
from fleetkeeper.kit.clock import utc_now

_OUTCOMES = {"changed": "deleted", "held": "held"}


async def undo_rows(
    database: Database, context: TransactionContext, actor: Actor, key: UUID, reason: str, tell: Tell
) -> None:
    """Undo an import that is being undone. Rows are committed with their results, some at a time."""
    done = 0
    while True:
        async with database.session(context) as session:
            number = await _undo_some(session, actor, key, reason)
            if not number:
                row = await locked(session, actor, key)
                if row.status == ImportStatus.UNDOING:
                    row.undone_at = utc_now()
                    await move(session, IMPORTS, row, ImportStatus.UNDONE)
                return
            done, total = done + number, (await locked(session, actor, key)).row_count
        await tell(done, total)


async def _undo_some(session: AsyncSession, actor: Actor, key: UUID, reason: str) -> int:
    row = await locked(session, actor, key)
    if row.status != ImportStatus.UNDOING:
        return 0
    waiting = (DeviceImportRow.result.in_(["created", "updated"]), DeviceImportRow.undone == "")
    several = await queries.next_rows(session, key, 0, CHUNK, *waiting)
    known = await read_known(session, actor)
    ids = [one.device_id for one in several if one.device_id is not None]
    present = await present_devices(session, actor, ids, known)
    for one in several:
        device = present.get(one.device_id) if one.device_id is not None else None
        if device is None:
            one.undone, one.detail = "kept", "The device is gone, or out of your sight"
        elif one.result == "updated":
            await _restore(session, actor, row, one, device, known)
        elif problem := _changed_since(one, device):
            one.undone, one.detail = "kept", problem
    await _delete(session, actor, [one for one in several if not one.undone], reason)
    await session.flush()
    return len(several)


def _changed_since(row: DeviceImportRow, device: Present) -> str:
    if device.has_reported:
        return "The device has reported since"
    names = sorted(
        name for name in {**row.made, **device.texts} if row.made.get(name, "") != device.texts.get(name, "")
    )
    return f"Changed since: {', '.join(names)}" if names else ""


async def _delete(session: AsyncSession, actor: Actor, rows: Sequence[DeviceImportRow], reason: str) -> None:
    """Delete devices, or ask for it where a rule of approvals wants that."""
    by_key = {one.device_id: one for one in rows if one.device_id is not None}
    if not by_key:
        return
    try:
        done = await ask_for_deletions(
            session, actor, Selection(ids=sorted(by_key)), reason, dry_run=False, stale_before=utc_now()
        )
    except FleetkeeperError as error:
        for one in rows:
            one.undone, one.detail = "kept", error.detail
        return
    for item in done.results:
        row = by_key[item.id]
        row.undone, row.detail = _OUTCOMES.get(item.outcome, "kept"), item.detail


async def _restore(
    session: AsyncSession,
    actor: Actor,
    of: DeviceImport,
    row: DeviceImportRow,
    device: Present,
    known: Known,
) -> None:
    own = [one for one in row.changes if one["field"] not in PARTS]
    parts = {one["field"]: one for one in row.changes if one["field"] in PARTS}
    name = options_of(of).cells(row.cells).get("interface", "").strip()
    changed = [one["field"] for one in own if device.texts.get(one["field"], "") != one["after"]]
    changed += _parts_changed(parts, device, name)
    if changed:
        row.undone, row.detail = "kept", f"Changed since: {', '.join(sorted(changed))}"
        return
    given = {one["field"]: one.get("old", one["before"]) for one in own}
    values, problems = read_values(given, known, is_new=False)
    if problems:
        row.undone, row.detail = "kept", "; ".join(f"{field}: {message}" for field, message in problems)
        return
    try:
        async with session.begin_nested():
            await enter_changes(session, actor, device, values)
            await _restore_parts(session, actor, parts, device, name)
    except FleetkeeperError as error:
        row.undone, row.detail = "kept", error.detail
        return
    row.undone = "restored"


def _parts_changed(parts: dict[str, Any], device: Present, name: str) -> list[str]:
    """What of an interface is not as the import left it."""
    if not parts:
        return []
    found = device.interfaces.get(name)
    if found is None:
        return ["interface"]
    changed = []
    if "mac_address" in parts and found.mac_address != parts["mac_address"]["after"]:
        changed.append("mac_address")
    given = parts["ip_address"]["after"] if "ip_address" in parts else None
    others = set(found.addresses) - {given} if "interface" in parts else set()
    if others or (given is not None and given not in found.addresses):
        changed.append("ip_address")
    return changed


async def _restore_parts(
    session: AsyncSession, actor: Actor, parts: dict[str, Any], device: Present, name: str
) -> None:
    if not parts:
        return
    interface, is_new = device.interfaces[name], "interface" in parts
    if "mac_address" in parts and not is_new:
        await set_mac(session, actor, interface.id, parts["mac_address"]["before"] or None)
    if is_new or "ip_address" in parts:
        address = parts.get("ip_address", {}).get("after", "")
        await remove_parts(session, actor, interface, address, is_new=is_new)
