"""What is kept of a channel sealed: a password, a signing secret, or the address of a chat service."""

import base64
import binascii
import os
from uuid import UUID

from fleetkeeper.kit.sealing import Sealer

SIGNING_PREFIX = "whsec_"
_SIGNING_BYTES = 32


def make_signing_secret() -> str:
    """A new secret for webhooks, as the Standard Webhooks specification writes it."""
    return SIGNING_PREFIX + base64.b64encode(os.urandom(_SIGNING_BYTES)).decode()


def signing_key(secret: str) -> bytes:
    """The key in a webhook's secret. Raises ValueError unless it is `whsec_` and 24 to 64 bytes in base64."""
    try:
        key = base64.b64decode(secret.removeprefix(SIGNING_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None
    if not secret.startswith(SIGNING_PREFIX) or not 24 <= len(key) <= 64:
        raise ValueError("not whsec_ and 24 to 64 bytes")
    return key


def seal_secret(sealer: Sealer, channel_id: UUID, secret: str) -> bytes:
    """A secret as the database holds it."""
    return sealer.seal(secret.encode(), _context(channel_id))


def open_secret(sealer: Sealer, channel_id: UUID, sealed: bytes) -> str:
    """A secret again. Raises SealingError."""
    return sealer.open(sealed, _context(channel_id)).decode()


def _context(channel_id: UUID) -> bytes:
    return b"notification_channels:" + channel_id.bytes
