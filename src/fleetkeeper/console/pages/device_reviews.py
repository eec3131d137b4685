"""`/device-reviews`: pairs of devices that may be one machine."""

from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request, Response

from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, Facts, Row, Table, Tag
from fleetkeeper.console.details import Panels, Tab, show_detail
from fleetkeeper.console.history import history_tab
from fleetkeeper.console.lists.answering import show_list
from fleetkeeper.console.lists.declaring import Choice, Column, ListPage, QuickFilter
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.panels import act_form, done
from fleetkeeper.database.request_session import Session
from fleetkeeper.devices.access import DevicesRead, DevicesWrite
from fleetkeeper.devices.identity import service
from fleetkeeper.devices.identity.queries import LISTING
from fleetkeeper.devices.identity.schemas import ReviewDecision, ReviewRead
from fleetkeeper.identity.access import ReasonGiven
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.clock import utc_now

HOME = "/device-reviews"
declare(
    Place(
        HOME,
        "Possible duplicates",
        "copy",
        Permission.DEVICES_READ,
        parent="/devices",
        order=25,
        words="merge duplicates identity review same machine",
    )
)
router = APIRouter()
_STATES = {
    "open": Tag("Open", "warning"),
    "merged": Tag("Merged", "good"),
    "different": Tag("Different machines"),
}

PAGE: ListPage[ReviewRead] = ListPage(
    path=HOME,
    title="Possible duplicates",
    noun=("pair", "pairs"),
    listing=LISTING,
    search="Name of a device",
    quick=(
        QuickFilter(
            "status",
            "State",
            (Choice("open", "Open"), Choice("merged", "Merged"), Choice("different", "Different machines")),
            is_chips=True,
        ),
    ),
    columns=(
        Column(
            "device_name",
            "Devices",
            lambda one: Cell(f"{one.device_name} and {one.other_device_name}", f"{HOME}/{one.id}"),
            field=None,
        ),
        Column("score", "Points", lambda one: Cell(f"{one.score:g}"), sort="score"),
        Column(
            "explanation",
            "Evidence",
            lambda one: Cell(one.explanation[0].sentence if one.explanation else "", is_soft=True),
            field=None,
        ),
        Column("status", "State", lambda one: Cell(tags=(_STATES[one.status],)), sort="status"),
        Column(
            "created_at",
            "Since",
            lambda one: Cell(at=one.created_at, kind="time", is_soft=True),
            sort="created_at",
        ),
    ),
    titles={"id": "ID", "device_id": "Device ID"},
    empty=Empty(
        "No possible duplicates",
        "When evidence says that two devices may be one machine, the pair is listed here for you to decide.",
    ),
    export="/api/v1/identity-reviews/export",
)


@router.get(HOME)
async def list_reviews(request: Request, actor: DevicesRead, session: Session) -> Response:
    """Pairs of devices that may be one machine."""
    return await show_list(request, session, actor, PAGE, partial(service.list_reviews, session, actor))


@router.get(f"{HOME}/{{key}}")
async def show_review(request: Request, key: UUID, actor: DevicesRead, session: Session) -> Response:
    """One pair: what speaks for and against, and what can be done."""
    review = await service.get_review(session, actor, key)
    may_write = actor.may(Permission.DEVICES_WRITE)

    async def overview() -> Panels:
        forms = []
        if may_write and review.status == "open":
            forms = [
                act_form(
                    "different",
                    "They are different machines",
                    f"{HOME}/{key}/different",
                    "The two stay apart, whatever evidence says. You can open the pair again.",
                )
            ]
        if may_write and review.status == "different":
            forms = [act_form("open", "Open again", f"{HOME}/{key}/open", "The pair can be decided again.")]
        return [_facts(review), _evidence(review), *forms]

    merge = f"/devices/{review.device_id}/merge?other={review.other_device_id}"
    return await show_detail(
        request,
        actor,
        HOME,
        f"{review.device_name} and {review.other_device_name}",
        [Tab("overview", "Overview", overview), history_tab(session, actor, "identity_reviews", key)],
        crumbs=((HOME, PAGE.title),),
        tags=(_STATES[review.status],),
        links=((merge, "Preview merge"),) if may_write and review.status != "merged" else (),
    )


def _facts(review: ReviewRead) -> Facts:
    told = [
        ("First device", Cell(review.device_name, f"/devices/{review.device_id}")),
        ("Second device", Cell(review.other_device_name, f"/devices/{review.other_device_id}")),
        ("Points", Cell(f"{review.score:g}", detail="70 are enough to merge devices without an agent")),
    ]
    if review.decided_at is not None:
        told += [
            ("Decided by", Cell(review.decided_by)),
            ("Decided", Cell(at=review.decided_at, kind="time")),
            ("Reason", Cell(review.reason)),
        ]
    return Facts("pair", "Pair", tuple(told))


def _evidence(review: ReviewRead) -> Table:
    return Table(
        "evidence",
        "Evidence",
        ("What it says", "Points"),
        tuple(Row((Cell(one.sentence), Cell(f"{one.points:+g}"))) for one in review.explanation),
        empty="Nothing that their sources report tells whether they are one machine.",
    )


@router.post(f"{HOME}/{{key}}/different")
async def keep_apart(
    request: Request, key: UUID, actor: DevicesWrite, reason: ReasonGiven, session: Session
) -> Response:
    """Say that the two are different machines."""
    await service.decide_review(session, actor, key, ReviewDecision(status="different"), reason, utc_now())
    return done(request, f"{HOME}/{key}")


@router.post(f"{HOME}/{{key}}/open")
async def open_again(
    request: Request, key: UUID, actor: DevicesWrite, reason: ReasonGiven, session: Session
) -> Response:
    """Let the pair be decided again."""
    await service.decide_review(session, actor, key, ReviewDecision(status="open"), reason, utc_now())
    return done(request, f"{HOME}/{key}")
