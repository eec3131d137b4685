"""Webhooks, signed as the Standard Webhooks specification says (https://www.standardwebhooks.com)."""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.outgoing import ForbiddenAddressError, OutgoingError, Reach, post
from fleetkeeper.notifications.channels.secrets import signing_key
from fleetkeeper.notifications.sending.message import DeliveryFailedError, Message, OpenChannel

# Wait no longer than this, whatever the receiver asks for.
MAX_RETRY_AFTER_SECONDS = 86_400.0
GONE = 410


async def send_webhook(channel: OpenChannel, message: Message, reach: Reach) -> int:
    """Send it; returns the status, which is 2xx. Raises DeliveryFailedError."""
    body = body_of(channel, message)
    headers = signed_headers(f"msg_{message.event_id.hex}", utc_now(), body, channel.secrets)
    try:
        answer = await post(channel.url or "", body, headers, reach)
    except ForbiddenAddressError as error:
        raise DeliveryFailedError(str(error), is_final=True) from None
    except OutgoingError as error:
        raise DeliveryFailedError(str(error)) from None
    if 200 <= answer.status < 300:
        return answer.status
    detail = f"The receiver answered {answer.status}{_excerpt(answer.content)}."
    if 300 <= answer.status < 400:
        detail = (
            f"The receiver answered {answer.status}: redirects are not followed; enter the final address."
        )
    raise DeliveryFailedError(
        detail,
        status=answer.status,
        retry_after_seconds=retry_after(answer.headers.get("retry-after", ""), utc_now()),
        is_final=answer.status == GONE,
    )


def body_of(channel: OpenChannel, message: Message) -> bytes:
    """The body in the channel's format; in the product's own where there is nothing to say in the other."""
    if channel.format == "standard" or message.payload is None:
        return payload(message)
    return json.dumps(dict(message.payload), separators=(",", ":")).encode()


def payload(message: Message) -> bytes:
    """The body."""
    data = {
        "id": str(message.event_id),
        "severity": message.severity,
        "title": message.title,
        "text": message.body,
        "subject": dict(message.subject) | {"link": message.link},
        "department_id": message.department_id and str(message.department_id),
        "fields": dict(message.fields),
    }
    whole = {"type": message.name, "timestamp": message.occurred_at.isoformat(), "data": data}
    return json.dumps(whole, separators=(",", ":")).encode()


def signed_headers(message_id: str, at: datetime, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """The headers, with a signature for each secret."""
    timestamp = str(int(at.timestamp()))
    signed = f"{message_id}.{timestamp}.".encode() + body
    signatures = [
        "v1," + base64.b64encode(hmac.digest(signing_key(secret), signed, hashlib.sha256)).decode()
        for secret in secrets
    ]
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }


def retry_after(value: str, now: datetime) -> float | None:
    """How long a receiver wants to be left alone (seconds), if it says so: as a number or as a date (RFC 9110)."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:10]), MAX_RETRY_AFTER_SECONDS)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - now).total_seconds()), MAX_RETRY_AFTER_SECONDS)


def _excerpt(content: bytes) -> str:
    text = " ".join(content[:400].decode("utf-8", "replace").split())
    shown = "".join(mark for mark in text if mark.isprintable())[:200]
    return f": {shown}" if shown else ""
