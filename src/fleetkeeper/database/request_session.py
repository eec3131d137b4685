"""The FastAPI dependency that gives a request its one transaction."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.engine import Database


async def get_session(request: Request) -> AsyncIterator[AsyncSession]:
    """A session whose transaction commits when the route returns, before the response leaves."""
    database: Database = request.app.state.database
    async with database.session() as session:
        yield session


# With the default scope a failing commit would still answer 200.
Session = Annotated[AsyncSession, Depends(get_session, scope="function")]
