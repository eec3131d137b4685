"""Sends messages on a channel of any kind."""

from collections.abc import Sequence

from fleetkeeper.database.engine import warn_if_held
from fleetkeeper.kit.outgoing import Reach
from fleetkeeper.notifications.channels.schemas import ChannelKind
from fleetkeeper.notifications.sending.chat import send_chat
from fleetkeeper.notifications.sending.email import send_email
from fleetkeeper.notifications.sending.message import Message, OpenChannel
from fleetkeeper.notifications.sending.webhook import send_webhook


async def send(channel: OpenChannel, recipient: str, messages: Sequence[Message], reach: Reach) -> int | None:
    """Send messages, several only by mail; returns what the other side answered. Raises DeliveryFailedError."""
    warn_if_held("A notification's receiver")
    if channel.kind == ChannelKind.EMAIL:
        return await send_email(channel, recipient, messages, reach)
    (message,) = messages
    if channel.kind == ChannelKind.WEBHOOK:
        return await send_webhook(channel, message, reach)
    await send_chat(channel, message, reach)
    return None
