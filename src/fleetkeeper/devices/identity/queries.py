"""The SQL of identity reviews."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, and_, delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from fleetkeeper.devices.identity.matching import Match
from fleetkeeper.devices.identity.models import IdentityReview
from fleetkeeper.devices.models import Device
from fleetkeeper.devices.queries import visible_to
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.ids import uuid7
from fleetkeeper.kit.listing import Field, Listing

STATUSES = ("open", "merged", "different")
One, Other = aliased(Device), aliased(Device)
LISTING = Listing(
    fields={
        "id": Field(IdentityReview.id.expression, UUID, sortable=False),
        "score": Field(IdentityReview.score.expression, float),
        "status": Field(IdentityReview.status.expression, str, choices=STATUSES),
        "device_id": Field(IdentityReview.device_id.expression, UUID, sortable=False),
        "created_at": Field(IdentityReview.created_at.expression, datetime),
    },
    search=(One.name.expression, Other.name.expression),
    key=IdentityReview.id.expression,
    default_ordering="-score",
)


def visible_reviews(actor: Actor) -> Select[IdentityReview, Device, Device]:
    """Reviews of which the actor sees both devices, with these."""
    seen = visible_to(actor).with_only_columns(Device.id)
    return (
        select(IdentityReview, One, Other)
        .join(One, One.id == IdentityReview.device_id)
        .join(Other, Other.id == IdentityReview.other_device_id)
        .where(
            or_(
                and_(IdentityReview.device_id.in_(seen), IdentityReview.other_device_id.in_(seen)),
                and_(IdentityReview.status == "merged", IdentityReview.device_id.in_(seen)),
                and_(IdentityReview.status == "merged", IdentityReview.other_device_id.in_(seen)),
            )
        )
    )


def pair(one: UUID, other: UUID) -> tuple[UUID, UUID]:
    """Two devices in the order in which reviews have them."""
    return (one, other) if one < other else (other, one)


async def store_proposal(session: AsyncSession, one: UUID, other: UUID, found: Match) -> None:
    """Propose that two devices are one, unless somebody has decided."""
    first, second = pair(one, other)
    told = [
        {"kind": item.kind, "points": item.points, "sentence": item.sentence} for item in found.contributions
    ]
    statement = insert(IdentityReview).values(
        id=uuid7(),
        device_id=first,
        other_device_id=second,
        score=found.score,
        explanation=told,
    )
    await session.execute(
        statement.on_conflict_do_update(
            constraint="uq_identity_reviews_devices",
            set_={
                "score": statement.excluded.score,
                "explanation": statement.excluded.explanation,
                "updated_at": func.now(),
            },
            where=and_(
                IdentityReview.status == "open",
                IdentityReview.explanation != statement.excluded.explanation,
            ),
        )
    )


async def withdraw_others(
    session: AsyncSession, ids: Collection[UUID], proposed: Collection[tuple[UUID, UUID]]
) -> None:
    """Take back what was proposed of devices and holds no longer."""
    ends = or_(IdentityReview.device_id.in_(ids), IdentityReview.other_device_id.in_(ids))
    open_ones = select(IdentityReview.id, IdentityReview.device_id, IdentityReview.other_device_id).where(
        ends, IdentityReview.status == "open"
    )
    gone = [
        key
        for key, first, second in (await session.execute(open_ones)).all()
        if (first, second) not in proposed
    ]
    if gone:
        await session.execute(delete(IdentityReview).where(IdentityReview.id.in_(gone)))


async def told_apart(session: AsyncSession, ids: Collection[UUID]) -> set[tuple[UUID, UUID]]:
    """Pairs of these devices that somebody said are different."""
    rows = await session.execute(
        select(IdentityReview.device_id, IdentityReview.other_device_id).where(
            IdentityReview.status == "different",
            IdentityReview.device_id.in_(ids),
            IdentityReview.other_device_id.in_(ids),
        )
    )
    return {(first, second) for first, second in rows.all()}


async def decide_pair(
    session: AsyncSession, one: UUID, other: UUID, status: str, *, by: str, reason: str, now: datetime
) -> None:
    """Keep what was decided of two devices, proposed or not."""
    first, second = pair(one, other)
    values = {"status": status, "decided_at": now, "decided_by": by[:255], "reason": reason}
    statement = insert(IdentityReview).values(
        id=uuid7(), device_id=first, other_device_id=second, score=0.0, explanation=[], **values
    )
    await session.execute(
        statement.on_conflict_do_update(
            constraint="uq_identity_reviews_devices",
            set_={**values, "updated_at": func.now(), "version": IdentityReview.version + 1},
        )
    )


async def reopen(session: AsyncSession, key: UUID) -> None:
    """Let a pair be decided again."""
    await session.execute(
        update(IdentityReview)
        .where(IdentityReview.id == key)
        .values(status="open", decided_at=None, decided_by="", reason="", version=IdentityReview.version + 1)
    )


async def count_open(session: AsyncSession, actor: Actor) -> int:
    """How many pairs wait for a decision, of those that the actor sees."""
    waiting = visible_reviews(actor).where(IdentityReview.status == "open").limit(1000).subquery()
    return await session.scalar(select(func.count()).select_from(waiting)) or 0


async def devices_of_reviews(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, str]:
    """Names of devices, merged ones included."""
    rows = await session.execute(
        text("SELECT id, name FROM devices WHERE id = ANY (:ids)"), {"ids": list(ids)}
    )
    return {row.id: row.name for row in rows}
