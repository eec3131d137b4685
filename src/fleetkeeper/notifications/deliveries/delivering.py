"""Sends what is due. No session is held while the network is waited for."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import structlog

from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.sealing import SealingError
from fleetkeeper.notifications.channels.service import Outgoing, open_channel
from fleetkeeper.notifications.deliveries import queries
from fleetkeeper.notifications.deliveries.status import DELIVERIES, DeliveryState, state_after, wait_seconds
from fleetkeeper.notifications.models import NotificationChannel, NotificationDelivery, NotificationEvent
from fleetkeeper.notifications.sending.message import DeliveryFailedError, Message, OpenChannel, message_of
from fleetkeeper.notifications.sending.service import send

log = structlog.get_logger(__name__)

# Sent side by side. Each waits for the network only.
AT_ONCE = 20
# Of a digest.
MOST_IN_ONE_MAIL = 50
_CONTEXT = product_context("job", "notifications.deliver")


class Parcel(NamedTuple):
    """What goes out together: one delivery, or those of a digest."""

    channel: OpenChannel
    recipient: str
    messages: list[Message]
    # Ids of deliveries, each with the number of this attempt.
    claimed: list[tuple[UUID, int]]


async def deliver_due(database: Database, outgoing: Outgoing) -> int:
    """Send up to twenty deliveries that are due; returns how many there were."""
    async with database.session(_CONTEXT) as session:
        await queries.bury_abandoned(session)
        claimed = await queries.claim_due(session, AT_ONCE)
        parcels = pack(claimed, outgoing)
    outcomes = await asyncio.gather(*(_send(parcel, outgoing) for parcel in parcels))
    if parcels:
        async with database.session(_CONTEXT) as session:
            for parcel, outcome in zip(parcels, outcomes, strict=True):
                await queries.settle(session, parcel.claimed, outcome)
    return len(claimed)


def pack(
    claimed: Sequence[tuple[NotificationDelivery, NotificationEvent, NotificationChannel]], outgoing: Outgoing
) -> list[Parcel]:
    """Each delivery by itself, those of one digest together, oldest first."""
    parcels: list[Parcel] = []
    digests: dict[tuple[UUID, str], Parcel] = {}
    for delivery, event, channel in sorted(claimed, key=lambda one: one[1].id):
        key = channel.id, delivery.recipient
        known = digests.get(key) if delivery.is_digest else None
        if known is None or len(known.messages) >= MOST_IN_ONE_MAIL:
            known = Parcel(_opened(channel, outgoing), delivery.recipient, [], [])
            parcels.append(known)
            if delivery.is_digest:
                digests[key] = known
        known.messages.append(message_of(event, outgoing.origin))
        known.claimed.append((delivery.id, delivery.attempts))
    return parcels


def _opened(channel: NotificationChannel, outgoing: Outgoing) -> OpenChannel:
    try:
        return open_channel(channel, outgoing.sealer)
    except SealingError:
        log.warning("a channel's secret cannot be opened", channel=channel.name)
        return OpenChannel(kind="")


async def _send(parcel: Parcel, outgoing: Outgoing) -> dict[str, Any]:
    """Try it once; returns what to keep of it."""
    attempt = max(number for _, number in parcel.claimed)
    try:
        if not parcel.channel.kind:
            detail = "The channel's secret cannot be opened with this installation's key; enter it again."
            raise DeliveryFailedError(detail)  # noqa: TRY301 - it is kept like any other failure
        status = await send(parcel.channel, parcel.recipient, parcel.messages, outgoing.reach)
    except DeliveryFailedError as error:
        return _failure(error, attempt)
    except Exception as error:
        # One that nobody thought of must not keep all others from going out.
        log.exception("a notification could not be sent")
        return _failure(DeliveryFailedError(f"Sending failed unexpectedly: {type(error).__name__}."), attempt)
    return _moved(DeliveryState.DELIVERED) | {"response_status": status, "last_error": ""}


def _failure(error: DeliveryFailedError, attempt: int) -> dict[str, Any]:
    outcome = _moved(state_after(attempt, is_final=error.is_final))
    outcome |= {"response_status": error.status, "last_error": error.detail}
    if outcome["state"] == DeliveryState.RETRYING:
        wait = wait_seconds(attempt, error.retry_after_seconds)
        outcome["next_attempt_at"] = utc_now() + timedelta(seconds=wait)
    return outcome


def _moved(wanted: DeliveryState) -> dict[str, Any]:
    DELIVERIES.check(DeliveryState.SENDING, wanted)
    return {"state": wanted, "finished_at": utc_now() if wanted in DELIVERIES.final else None}
