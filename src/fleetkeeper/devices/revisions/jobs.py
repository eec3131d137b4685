"""The worker's part: who has a rule for it is told of changes of devices."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.context import product_context
from fleetkeeper.devices.revisions import queries
from fleetkeeper.devices.revisions.models import DeviceChangeCursor
from fleetkeeper.devices.revisions.telling import Told, devices_of, told_of
from fleetkeeper.jobs.declaring import job
from fleetkeeper.jobs.run import Run
from fleetkeeper.notifications.events import ObjectRef, declare_event, emit
from fleetkeeper.notifications.models import NotificationRule
from fleetkeeper.notifications.rules.matching import fits_name

TELL = "devices.tell_changes"
CURSOR = "notifications"
AT_ONCE = 500
CHANGED = declare_event(
    "devices.changed",
    "Devices changed",
    subject="{subject}: {what}",
    body="{subject}: {what}\n{text}",
    fields=(
        "what",
        "text",
        "kind",
        "object_type",
        "object_id",
        "device_id",
        "operation",
        "actor",
        "actor_kind",
        "reason",
        "count",
        "changes",
    ),
    lines=("text",),
    data=("count", "changes"),
    by_name_only=True,
)


@job(TELL, "Tell of changes of devices", cron="* * * * *", is_quiet=True, is_alone=True)
async def tell_of_changes(run: Run) -> None:
    """Emit `devices.changed` for all changes since the last run; without a rule for it only go on."""
    more = True
    while more:
        async with run.database.session(product_context("job", TELL)) as session:
            more = await tell_some(session)


async def tell_some(session: AsyncSession) -> bool:
    """Tell of some changes and keep the place behind them, in one transaction; returns whether there may be more."""
    cursor = await queries.locked_cursor(session, CURSOR)
    if cursor is None:
        return False
    if not await _is_wanted(session):
        await _skip(session, cursor)
        return False
    rows = await queries.feed(session, (cursor.xact, cursor.revision_id), AT_ONCE)
    if not rows:
        return False
    places = await queries.names_and_departments(
        session, sorted({key for row in rows for key in devices_of(row)})
    )
    for one in told_of(rows, places):
        await _emit(session, one)
    cursor.xact, cursor.revision_id = rows[-1].xact, rows[-1].id
    await session.flush()
    return len(rows) == AT_ONCE


async def _is_wanted(session: AsyncSession) -> bool:
    rules = await session.scalars(select(NotificationRule.events).where(NotificationRule.enabled))
    return any(fits_name([one for one in events if one != "*"], CHANGED.name) for events in rules)


async def _skip(session: AsyncSession, cursor: DeviceChangeCursor) -> None:
    place = await queries.newest_place(session)
    if place is not None and place > (cursor.xact, cursor.revision_id):
        cursor.xact, cursor.revision_id = place
        await session.flush()


async def _emit(session: AsyncSession, told: Told) -> None:
    subject = ObjectRef("devices", str(told.device_id or ""), told.label, told.href)
    await emit(
        session,
        CHANGED.name,
        subject=subject,
        department_id=told.department_id,
        at=told.at,
        what=told.what,
        text=told.text,
        **told.fields,
    )
