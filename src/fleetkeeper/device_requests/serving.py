"""Requests that the product answers by itself: with the automations of its rooms."""

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.device_requests.automation import AUTOMATIONS, AutomationError
from fleetkeeper.device_requests.handling.queries import next_waiting
from fleetkeeper.device_requests.handling.schemas import AnswerWrite
from fleetkeeper.device_requests.handling.service import hand_to, note_failure, store_answer
from fleetkeeper.device_requests.models import DeviceRequest, RequestHandler
from fleetkeeper.identity.actor import EVERYWHERE

log = structlog.get_logger(__name__)

_CONTEXT = product_context("job", "device_requests.hand_out")


async def answer_next(database: Database) -> bool:
    """Answer the oldest request that an automation answers; returns whether there was one."""
    async with database.session(_CONTEXT) as session:
        for handler in await _handlers(session):
            found = await next_waiting(session, handler, EVERYWHERE, sorted(AUTOMATIONS), 1)
            if found:
                await _answer(session, found[0], handler)
                return True
    return False


async def _handlers(session: AsyncSession) -> list[RequestHandler]:
    enabled = select(RequestHandler).where(RequestHandler.enabled, RequestHandler.kind == "automation")
    return list(await session.scalars(enabled.order_by(RequestHandler.name)))


async def _answer(session: AsyncSession, request: DeviceRequest, handler: RequestHandler) -> None:
    leased = await hand_to(session, request, handler)
    try:
        async with session.begin_nested():
            content = await AUTOMATIONS[leased.type].function(session, leased)
            await store_answer(
                session, request, handler.name, AnswerWrite(lease_token=leased.lease_token, content=content)
            )
    except AutomationError as error:
        problem, is_retried = str(error), False
    except Exception:
        # Whatever a room's function does, the requests behind this one have their turn.
        log.exception("an automation failed", request=str(leased.id), type=leased.type)
        problem, is_retried = "The automation failed; the server's log says why.", True
    else:
        return
    # What it did is undone, and what the session knows of the request with it.
    await session.refresh(request)
    await note_failure(session, request, problem, is_retried=is_retried)
