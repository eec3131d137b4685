"""Requests that a webhook answers: sent to its channel, signed; the JSON object of a 2xx answer is the response."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import structlog
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.device_requests import queries as requests
from fleetkeeper.device_requests.handling.queries import next_waiting
from fleetkeeper.device_requests.handling.schemas import AnswerWrite, LeasedRequest
from fleetkeeper.device_requests.handling.service import hand_to, note_failure, store_answer
from fleetkeeper.device_requests.models import RequestHandler
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.identity.actor import EVERYWHERE
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.outgoing import Answer, OutgoingError, post
from fleetkeeper.kit.sealing import SealingError
from fleetkeeper.notifications.channels.service import Outgoing, open_channel
from fleetkeeper.notifications.models import NotificationChannel
from fleetkeeper.notifications.sending.message import OpenChannel
from fleetkeeper.notifications.sending.webhook import signed_headers

log = structlog.get_logger(__name__)

# Sent side by side. Each waits for the network only.
AT_ONCE = 10
_CONTEXT = product_context("job", "device_requests.hand_out")
# Asked again, these would say the same: what was sent is wrong, or is wanted no more.
_FINAL = frozenset({400, 404, 405, 410, 413, 415, 422})


@dataclass(frozen=True)
class _Sent:
    request: LeasedRequest
    handler: str
    channel: OpenChannel | None


@dataclass(frozen=True)
class _Outcome:
    content: dict[str, Any] | None = None
    problem: str = ""
    is_final: bool = False


async def send_next(database: Database, outgoing: Outgoing) -> int:
    """Send some requests to their webhooks and keep what these answer; returns how many there were.

    No session is held while the network is waited for.
    """
    async with database.session(_CONTEXT) as session:
        sent = await _claim(session, outgoing)
    outcomes = await asyncio.gather(*(_send(one, outgoing) for one in sent))
    for one, outcome in zip(sent, outcomes, strict=True):
        async with database.session(_CONTEXT) as session:
            await _settle(session, one, outcome)
    return len(sent)


async def _claim(session: AsyncSession, outgoing: Outgoing) -> list[_Sent]:
    statement = (
        select(RequestHandler, NotificationChannel)
        .join(NotificationChannel, NotificationChannel.id == RequestHandler.channel_id)
        .where(RequestHandler.enabled, RequestHandler.kind == "webhook", NotificationChannel.enabled)
        .order_by(RequestHandler.name)
    )
    sent: list[_Sent] = []
    for handler, channel in (await session.execute(statement)).all():
        found = await next_waiting(session, handler, EVERYWHERE, None, AT_ONCE - len(sent))
        opened = _opened(channel, outgoing) if found else None
        sent += [_Sent(await hand_to(session, one, handler), handler.name, opened) for one in found]
        if len(sent) >= AT_ONCE:
            break
    return sent


def _opened(channel: NotificationChannel, outgoing: Outgoing) -> OpenChannel | None:
    try:
        return open_channel(channel, outgoing.sealer)
    except SealingError:
        log.warning("a channel's secret cannot be opened", channel=channel.name)
        return None


async def _send(one: _Sent, outgoing: Outgoing) -> _Outcome:
    if one.channel is None:
        return _Outcome(problem="The channel's secret cannot be opened.")
    body = _body(one.request)
    headers = signed_headers(f"req_{one.request.id.hex}", utc_now(), body, one.channel.secrets)
    try:
        return _outcome_of(await post(one.channel.url or "", body, headers, outgoing.reach))
    except OutgoingError as error:
        return _Outcome(problem=str(error))


def _body(request: LeasedRequest) -> bytes:
    """As other webhooks of the product are: type, timestamp, data."""
    data = request.model_dump(mode="json", exclude={"lease_token"})
    whole = {"type": "device_request", "timestamp": utc_now().isoformat(), "data": data}
    return json.dumps(whole, separators=(",", ":")).encode()


def _outcome_of(answer: Answer) -> _Outcome:
    if not 200 <= answer.status < 300:
        return _Outcome(problem=f"The webhook answered {answer.status}.", is_final=answer.status in _FINAL)
    try:
        content = json.loads(answer.content)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        return _Outcome(problem="The webhook did not answer with a JSON object of at most 64 KiB.")
    return _Outcome(content=content)


async def _settle(session: AsyncSession, one: _Sent, outcome: _Outcome) -> None:
    request = await requests.locked(session, one.request.id)
    if request is None or request.lease_token != one.request.lease_token:
        # Cancelled, or its lease ended, meanwhile.
        return
    problem, is_final = outcome.problem, outcome.is_final
    if outcome.content is not None:
        try:
            async with session.begin_nested():
                wanted = AnswerWrite(lease_token=one.request.lease_token, content=outcome.content)
                await store_answer(session, request, one.handler, wanted)
                return
        except (ValidationError, FleetkeeperError):
            problem, is_final = "The webhook's answer cannot be kept.", True
            await session.refresh(request)
    await note_failure(session, request, problem, is_retried=not is_final)
