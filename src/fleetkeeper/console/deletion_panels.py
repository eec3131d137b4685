"""Deletions of a device's telemetry as panels. Pure."""

from collections.abc import Mapping

from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, Entry, EntryForm, Facts, Tag
from fleetkeeper.console.lists.declaring import Column, ListPage
from fleetkeeper.console.panels import REASON
from fleetkeeper.console.retention_panels import HOME, grouped
from fleetkeeper.kit.sizes import size_text
from fleetkeeper.telemetry.archive.browsing import DELETIONS
from fleetkeeper.telemetry.archive.schemas import Amounts, DeletionRead
from fleetkeeper.telemetry.archive.status import DELETIONS as STATES


def deletion_form(values: Mapping[str, str]) -> EntryForm:
    """Asks what is to go."""
    return EntryForm(
        "deletion",
        "Delete telemetry of a device",
        f"{HOME}/deletions/preview",
        "Preview deletion",
        (
            Entry("device", "Device", values.get("device", ""), hint="Name or ID"),
            Entry("metric", "Metric", values.get("metric", ""), hint="Empty: all metrics", is_required=False),
            Entry("first_day", "From day (UTC)", values.get("first_day", ""), "date", is_required=False),
            Entry("last_day", "To day (UTC)", values.get("last_day", ""), "date", is_required=False),
        ),
        is_open=bool(values.get("device")),
    )


def deletion_confirmation(amounts: Amounts, values: Mapping[str, str]) -> tuple[Facts, EntryForm]:
    """What would go, and the form that lets it go."""
    facts = (
        ("Device", Cell(amounts.device_name, href=f"/devices/{amounts.device}")),
        ("Metric", Cell(amounts.metric or "all")),
        ("Days (UTC)", Cell(f"{amounts.first_day or 'first'} to {amounts.last_day or 'last'}")),
        ("Frames not sealed yet", Cell(grouped(amounts.frames))),
        ("Sealed samples", Cell(grouped(amounts.chunk_samples), detail=size_text(amounts.chunk_bytes))),
        (
            "Archived samples",
            Cell(grouped(amounts.archive_samples), detail=f"{amounts.archive_files} files are rewritten"),
        ),
        ("Rollup rows", Cell(grouped(amounts.rollups))),
        ("Process lists", Cell(grouped(amounts.process_lists))),
        ("Login sessions", Cell(grouped(amounts.login_sessions))),
        ("States", Cell(grouped(amounts.states))),
    )
    # Names may be given to another device meanwhile; what was shown is what goes.
    shown = {**values, "device": str(amounts.device)}
    hidden = tuple(
        Entry(name, "", shown.get(name, ""), "hidden", is_required=False)
        for name in ("device", "metric", "first_day", "last_day")
    )
    form = EntryForm(
        "delete",
        "Delete telemetry",
        f"{HOME}/deletions",
        "Delete telemetry",
        (*hidden, REASON),
        text="Deletes from the database and the archive files. This cannot be undone.",
        is_open=True,
        is_danger=True,
    )
    return Facts("amounts", "Preview", facts), form


def _days(one: DeletionRead) -> str:
    if one.first_day is None and one.last_day is None:
        return ""
    return f"{one.first_day or 'first day'} to {one.last_day or 'last day'}"


def _device(one: DeletionRead) -> Cell:
    return Cell(one.device_name or str(one.device_id), detail=one.reason)


def _state(one: DeletionRead) -> Cell:
    return Cell(tags=(Tag(one.state, STATES.tones[one.state]),), detail=one.problem or one.step)


DELETION_LIST: ListPage[DeletionRead] = ListPage(
    path=f"{HOME}/deletions",
    title="Delete telemetry",
    noun=("deletion", "deletions"),
    listing=DELETIONS,
    search="Device or reason",
    columns=(
        Column("device", "Device", _device),
        Column("metric", "Metrics", lambda one: Cell(one.metric or "all metrics", detail=_days(one))),
        Column("state", "Status", _state, sort="state"),
        Column(
            "requested_at",
            "Requested",
            lambda one: Cell(at=one.requested_at, kind="time"),
            sort="requested_at",
            falls_first=True,
        ),
        Column("requested_by", "Requested by", lambda one: Cell(one.requested_by or "the product")),
    ),
    titles={"device_id": "Device ID"},
    text="Deleting a device also deletes its telemetry.",
    empty=Empty("No deletions yet"),
    refresh_seconds=5,
)
