"""`/devices/{id}/merge` and what else changes which sources a device has."""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.attribute_words import attribute_words
from fleetkeeper.console.contexts.panels import Cell, Note, Option, Row, Table
from fleetkeeper.console.details import Refusal
from fleetkeeper.console.device_names import device_named
from fleetkeeper.console.device_sources import MERGE, PIN, shown_value
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.pages.devices import device_page
from fleetkeeper.console.panels import REASON, at_entries, done, show_page, submit
from fleetkeeper.console.requests import FormLists
from fleetkeeper.database.request_session import AppSettings, Session
from fleetkeeper.devices.access import DevicesWrite
from fleetkeeper.devices.merging import service as merging
from fleetkeeper.devices.merging.schemas import MergePreview
from fleetkeeper.devices.sources import service as sources
from fleetkeeper.devices.sources.schemas import PinWrite
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.identity.access import ReasonGiven
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.clock import utc_now

TAB = "sources"


class TakeEntry(BaseModel):
    """Attributes of which the other device's value counts."""

    model_config = ConfigDict(extra="forbid")

    take_from_other: list[str] = []


TAKE = Form(
    TakeEntry,
    "merge-devices",
    "Merge devices",
    "Merge devices",
    {
        "take_from_other": Widget(
            "Take from the other device",
            "A value that you choose is pinned if sources say something else",
            kind="ticks",
        )
    },
    is_danger=True,
)
router = APIRouter(prefix="/devices/{device_id}")


@router.post("/merge")
async def choose_other(
    request: Request,
    device_id: UUID,
    sent: FormLists,
    actor: DevicesWrite,
    session: Session,
    settings: AppSettings,
) -> Response:
    """Find the other device, and go on to the preview."""

    async def find() -> str:
        other = await device_named(session, actor, MERGE.read(sent).device)
        await merging.preview_merge(session, actor, device_id, other.id, (), utc_now())
        return f"/devices/{device_id}/merge?other={other.id}"

    async def again(error: FleetkeeperError) -> Response:
        told = at_entries(error, {"other_device_id": "device"})
        return await device_page(
            request, session, actor, settings, device_id, Refusal(MERGE.id, told, sent, TAB)
        )

    return await submit(request, session, find(), str, again)


@router.get("/merge")
async def show_merge(
    device_id: UUID, other: Annotated[UUID, Query()], actor: DevicesWrite, session: Session
) -> Response:
    """What merging two devices would do, attribute by attribute."""
    preview = await merging.preview_merge(session, actor, device_id, other, (), utc_now())
    return _merge_page(actor, device_id, other, preview)


@router.post("/merge/apply")
async def apply_merge(
    request: Request,
    device_id: UUID,
    other: Annotated[UUID, Query()],
    sent: FormLists,
    actor: DevicesWrite,
    reason: ReasonGiven,
    session: Session,
) -> Response:
    """Merge two devices."""

    async def merge() -> str:
        chosen = sent.get("take_from_other", [])
        made = await merging.merge_devices(session, actor, device_id, other, chosen, reason, utc_now())
        return f"/devices/{made.device_id}?tab={TAB}"

    async def again(error: FleetkeeperError) -> Response:
        return await _again(session, actor, device_id, other, error)

    return await submit(request, session, merge(), str, again)


async def _again(
    session: AsyncSession, actor: Actor, device_id: UUID, other: UUID, error: FleetkeeperError
) -> Response:
    preview = await merging.preview_merge(session, actor, device_id, other, (), utc_now())
    return _merge_page(actor, device_id, other, preview, error)


def _merge_page(
    actor: Actor, device_id: UUID, other: UUID, preview: MergePreview, error: FleetkeeperError | None = None
) -> Response:
    kept, gone = preview.kept_name, preview.other_name
    choices = tuple(
        Option(one.attribute, f"{attribute_words(one.attribute)}: {shown_value(one.attribute, one.other)}")
        for one in preview.attributes
        if one.can_choose and one.result != one.other
    )
    moves = "".join(f", {one.noun} ({one.number:,})" for one in preview.moves)
    shown = TAKE.shown(
        f"/devices/{device_id}/merge/apply?other={other}",
        options={"take_from_other": choices},
        only=() if choices else ("nothing",),
        is_open=True,
    )
    form = replace(
        shown,
        title=f"Merge {gone} into {kept}",
        entries=(*shown.entries, REASON),
        text=f"{gone} becomes part of {kept}, with its telemetry{moves}. You can undo this on the tab Sources.",
        message=error.detail if error is not None else "",
    )
    differences = Table(
        "differences",
        "Differences",
        ("Attribute", kept, gone, "After the merge", "Why"),
        tuple(
            Row(
                (
                    Cell(attribute_words(one.attribute)),
                    Cell(shown_value(one.attribute, one.kept)),
                    Cell(shown_value(one.attribute, one.other)),
                    Cell(shown_value(one.attribute, one.result)),
                    Cell(one.why, is_soft=True),
                )
            )
            for one in preview.attributes
        ),
        empty="The devices do not differ.",
        is_stacked=True,
        is_labelled=True,
    )
    evidence = Table(
        "evidence",
        "Evidence",
        ("What speaks for and against one machine",),
        tuple(Row((Cell(one),)) for one in preview.explanation),
        empty="Nothing that their sources report tells whether they are one machine.",
    )
    return show_page(
        actor,
        "/devices",
        f"Merge {gone} into {kept}",
        [evidence, differences, form],
        crumbs=(("/devices", "Devices"), (f"/devices/{device_id}?tab={TAB}", kept)),
        notes=[Note(one) for one in preview.warnings],
        status=200 if error is None else error.status,
    )


@router.post("/merges/{merge_id}/undo")
async def undo_merge(
    request: Request, device_id: UUID, merge_id: UUID, actor: DevicesWrite, session: Session
) -> Response:
    """Undo a merge."""
    made = await merging.undo_merge(session, actor, device_id, merge_id, "", utc_now())
    return done(request, f"/devices/{made.merged_device_id}")


@router.post("/sources/{source_id}/split")
async def split_source(
    request: Request, device_id: UUID, source_id: UUID, actor: DevicesWrite, session: Session
) -> Response:
    """Make a source's part a device of its own."""
    made = await sources.split(session, actor, device_id, source_id, "", utc_now())
    return done(request, f"/devices/{made.device_id}?tab={TAB}")


@router.post("/pin")
async def pin_value(
    request: Request,
    device_id: UUID,
    sent: FormLists,
    actor: DevicesWrite,
    session: Session,
    settings: AppSettings,
) -> Response:
    """Pin a value of an attribute."""

    async def pin() -> str:
        entry = PIN.read(sent)
        is_number = entry.value.isascii() and entry.value.isdigit()
        value = PinWrite(value=int(entry.value) if is_number and len(entry.value) < 19 else entry.value)
        await sources.pin(session, actor, device_id, entry.attribute, value, "", utc_now())
        return f"/devices/{device_id}?tab={TAB}"

    async def again(error: FleetkeeperError) -> Response:
        refusal = Refusal(PIN.id, error, sent, TAB)
        return await device_page(request, session, actor, settings, device_id, refusal)

    return await submit(request, session, pin(), str, again)


@router.post("/unpin/{attribute}")
async def unpin_value(
    request: Request, device_id: UUID, attribute: str, actor: DevicesWrite, session: Session
) -> Response:
    """Let sources decide on an attribute again."""
    await sources.unpin(session, actor, device_id, attribute, utc_now())
    return done(request, f"/devices/{device_id}?tab={TAB}")
