"""The FastAPI dependency that gives a request its one transaction."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.claims import CLAIM, Claim
from fleetkeeper.database.context import NOBODY, TransactionContext
from fleetkeeper.database.engine import Database
from fleetkeeper.kit.services import services_of, shared
from fleetkeeper.settings import Settings


def context_of(request: Request) -> TransactionContext:
    """What the guard of the route has found out about the caller; nothing before that."""
    context: TransactionContext = getattr(request.state, "transaction_context", NOBODY)
    return context


def _claim_of(request: Request) -> Claim | None:
    claim: Claim | None = getattr(request.state, CLAIM, None)
    return claim


async def get_session(request: Request) -> AsyncIterator[AsyncSession]:
    """A session whose transaction commits when the route returns, before the response leaves.

    The transaction begins with its first statement, when the guard has said who calls.
    """
    database = services_of(request).get(Database)
    async with database.session(partial(context_of, request), claim=_claim_of(request)) as session:
        yield session


async def get_planned_session(request: Request) -> AsyncIterator[AsyncSession]:
    """The same, in which statements that come again are planned once."""
    database = services_of(request).get(Database)
    context, claim = partial(context_of, request), _claim_of(request)
    async with database.session(context, plans_once=True, claim=claim) as session:
        yield session


AppDatabase = Annotated[Database, Depends(shared(Database))]
AppSettings = Annotated[Settings, Depends(shared(Settings))]
# With the default scope a failing commit would still answer 200.
Session = Annotated[AsyncSession, Depends(get_session, scope="function")]
PlannedSession = Annotated[AsyncSession, Depends(get_planned_session, scope="function")]
