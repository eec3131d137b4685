"""Deletions of a device's telemetry as panels. Pure."""

from dataclasses import replace
from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field

from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, EntryForm, Facts, Tag
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.lists.declaring import Column, ListPage
from fleetkeeper.console.panels import REASON
from fleetkeeper.console.policy_forms import HOME
from fleetkeeper.console.retention_panels import grouped
from fleetkeeper.kit.sizes import size_text
from fleetkeeper.telemetry.archive.browsing import DELETIONS
from fleetkeeper.telemetry.archive.schemas import Amounts, DeletionCreate, DeletionRead
from fleetkeeper.telemetry.archive.status import DELETIONS as STATES


class DeletionForm(BaseModel):
    """What is to go; the device by name or ID."""

    device: Annotated[str, Field(min_length=1)]
    metric: Annotated[str, Field(min_length=1)] | None = None
    first_day: date | None = None
    last_day: date | None = None


FORM = Form(
    DeletionForm,
    "deletion",
    "Delete telemetry of a device",
    "Preview deletion",
    {
        "device": Widget("Device", hint="Name or ID"),
        "metric": Widget("Metric", hint="Empty: all metrics"),
        "first_day": "From day (UTC)",
        "last_day": "To day (UTC)",
    },
)
# What was shown is what goes.
CONFIRM = Form(
    DeletionCreate,
    "delete",
    "Delete telemetry",
    "Delete telemetry",
    {name: Widget("", kind="hidden") for name in DeletionCreate.model_fields},
    text="Deletes from the database and the archive files. This cannot be undone.",
    is_danger=True,
)


def deletion_form(device: str = "") -> EntryForm:
    """Asks what is to go."""
    present = DeletionForm.model_construct(device=device)
    return FORM.shown(f"{HOME}/deletions/preview", present, is_open=bool(device))


def deletion_confirmation(amounts: Amounts) -> tuple[Facts, EntryForm]:
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
    form = CONFIRM.shown(f"{HOME}/deletions", amounts, is_open=True)
    return Facts("amounts", "Preview", facts), replace(form, entries=(*form.entries, REASON))


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
