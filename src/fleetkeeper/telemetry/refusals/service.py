"""Looking at what was refused, and forgetting it."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.telemetry.reasons import Reason
from fleetkeeper.telemetry.refusals import queries
from fleetkeeper.telemetry.refusals.models import RefusedSamples
from fleetkeeper.telemetry.refusals.schemas import RefusalPage, RefusalRead

KEPT_DAYS = 30


async def list_refusals(
    session: AsyncSession, actor: Actor, parameters: Sequence[tuple[str, str]]
) -> RefusalPage:
    """One page of what was refused in departments whose devices the actor may see."""
    page = await queries.LISTING.page(session, queries.visible_to(actor), parameters)
    results = [_read(*row[:4]) for row in page.rows]
    return RefusalPage(count=page.count, next=page.next, previous=page.previous, results=results)


def _read(row: RefusedSamples, department: str | None, device: str | None, token: str | None) -> RefusalRead:
    reason = Reason.named(row.reason)
    return RefusalRead(
        id=row.id,
        protocol=row.protocol,
        reason=row.reason,
        meaning=reason.sentence if reason is not None else row.sentence,
        cure=reason.cure if reason is not None else "",
        samples=row.samples,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        sentence=row.sentence,
        example=row.example,
        department_id=row.department_id,
        department_name=department,
        # A device that has moved to where the actor sees none is not named.
        device_id=row.device_id if device is not None else None,
        device_name=device,
        token_id=row.token_id,
        token_name=token,
    )


async def forget_old(database: Database) -> None:
    """Remove what has not been refused for a month."""
    async with database.session(product_context("job", "telemetry.forget_refusals")) as session:
        await queries.forget_old(session, utc_now() - timedelta(days=KEPT_DAYS))
