"""Pairs of devices that may be one, for people to decide."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices.identity import queries
from fleetkeeper.devices.identity.models import IdentityReview
from fleetkeeper.devices.identity.schemas import ReviewDecision, ReviewPage, ReviewRead
from fleetkeeper.devices.models import Device
from fleetkeeper.devices.service import check_permission
from fleetkeeper.errors import ConflictError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission


async def list_reviews(
    session: AsyncSession,
    actor: Actor,
    parameters: Sequence[tuple[str, str]],
    *,
    is_counted: bool = True,
) -> ReviewPage:
    """One page of pairs of which the actor sees both devices."""
    return await queries.LISTING.read(
        session,
        queries.visible_reviews(actor),
        parameters,
        ReviewPage,
        lambda row: _read(*row[:3]),
        is_counted=is_counted,
    )


async def get_review(session: AsyncSession, actor: Actor, key: UUID) -> ReviewRead:
    """One pair. Raises NotFoundError."""
    row = (
        await session.execute(
            queries.visible_reviews(actor)
            .where(IdentityReview.id == key)
            .execution_options(populate_existing=True)
        )
    ).one_or_none()
    if row is None:
        raise NotFoundError("There is no such review.")
    return _read(*row)


async def decide_review(
    session: AsyncSession, actor: Actor, key: UUID, wanted: ReviewDecision, reason: str, now: datetime
) -> ReviewRead:
    """Keep two devices apart, or let the pair be decided again.

    Raises NotFoundError, ForbiddenError, and ConflictError for a pair that is merged.
    """
    review = await get_review(session, actor, key)
    if review.status == "merged":
        raise ConflictError("The devices are merged. Undo the merge on the device that stayed.")
    for device_id in (review.device_id, review.other_device_id):
        await check_permission(session, actor, Permission.DEVICES_WRITE, device_id)
    if wanted.status == "open":
        await queries.reopen(session, key)
    else:
        pair = (review.device_id, review.other_device_id)
        await queries.decide_pair(session, *pair, "different", by=actor.name, reason=reason, now=now)
    return await get_review(session, actor, key)


def _read(review: IdentityReview, one: Device, other: Device) -> ReviewRead:
    return ReviewRead.model_validate(
        {
            **{name: getattr(review, name) for name in ReviewRead.model_fields if hasattr(review, name)},
            "device_name": one.name,
            "other_device_name": other.name,
        }
    )
