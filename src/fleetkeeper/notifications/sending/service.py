"""Sends messages on a channel of any kind."""

import asyncio
from collections.abc import Sequence

from fleetkeeper.database.engine import warn_if_held
from fleetkeeper.kit.outgoing import Reach
from fleetkeeper.notifications.channels.schemas import ChannelKind
from fleetkeeper.notifications.sending.chat import send_chat
from fleetkeeper.notifications.sending.email import send_email
from fleetkeeper.notifications.sending.message import DeliveryFailedError, Message, OpenChannel
from fleetkeeper.notifications.sending.webhook import send_webhook

# Of all that belongs to it, however slowly the other side answers each step. Shorter than the lease of a delivery.
SEND_SECONDS = 60.0


async def send(channel: OpenChannel, recipient: str, messages: Sequence[Message], reach: Reach) -> int | None:
    """Send messages, several only by mail; returns what the other side answered. Raises DeliveryFailedError."""
    warn_if_held("A notification's receiver")
    try:
        async with asyncio.timeout(SEND_SECONDS):
            return await _send(channel, recipient, messages, reach)
    except TimeoutError:
        raise DeliveryFailedError(f"The receiver took longer than {SEND_SECONDS:.0f} seconds.") from None


async def _send(
    channel: OpenChannel, recipient: str, messages: Sequence[Message], reach: Reach
) -> int | None:
    if channel.kind == ChannelKind.EMAIL:
        return await send_email(channel, recipient, messages, reach)
    (message,) = messages
    if channel.kind == ChannelKind.WEBHOOK:
        return await send_webhook(channel, message, reach)
    await send_chat(channel, message, reach)
    return None
