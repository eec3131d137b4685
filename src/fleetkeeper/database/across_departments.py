"""What the product does for a person who was allowed it, past what departments let their sessions write."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.context import WHOLE_FLEET_ROLE

_BECOME = text("SELECT set_config('role', :role, true)")


@asynccontextmanager
async def across_departments(session: AsyncSession) -> AsyncIterator[None]:
    """Let what happens inside see and change every department's rows; the caller has checked that it may.

    An error leaves the transaction to be rolled back, and the role with it.
    """
    before = await session.scalar(text("SELECT current_setting('role')"))
    await session.execute(_BECOME, {"role": WHOLE_FLEET_ROLE})
    yield
    await session.flush()
    await session.execute(_BECOME, {"role": before})
