"""Codes of authenticator apps (RFC 6238)."""

import hmac
from datetime import datetime
from uuid import UUID

import pyotp
import segno

from fleetkeeper.kit.sealing import Sealer

ISSUER = "Fleetkeeper"
STEP_SECONDS = 30
# How many steps a clock may be ahead or behind (RFC 6238, section 5.2, advises one).
TOLERANCE_STEPS = 1
DIGITS = 6


def make_secret() -> str:
    """A new secret of 160 bits in base32, as RFC 4226 advises for SHA-1."""
    return pyotp.random_base32(32)


def seal_secret(sealer: Sealer, user_id: UUID, secret: str) -> bytes:
    """The secret as the database holds it."""
    return sealer.seal(secret.encode(), _context(user_id))


def open_secret(sealer: Sealer, user_id: UUID, sealed: bytes) -> str:
    """The secret again. Raises SealingError."""
    return sealer.open(sealed, _context(user_id)).decode()


def _context(user_id: UUID) -> bytes:
    return b"totp_devices:" + user_id.bytes


def provisioning_uri(secret: str, username: str) -> str:
    """What an authenticator app reads from the picture."""
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=ISSUER)


def qr_code(uri: str) -> str:
    """The picture as a `data:` address. It is black on white in every theme, as scanners want it."""
    code: str = segno.make(uri, error="m", micro=False).svg_data_uri(
        scale=5, border=4, dark="#000", light="#fff"
    )
    return code


def matching_step(secret: str, code: str, now: datetime, last_step: int | None) -> int | None:
    """The time step that a code is of; None when it is wrong, or of a step that was used already."""
    code = "".join(code.split())
    if len(code) != DIGITS or not (code.isascii() and code.isdigit()):
        return None
    generator = pyotp.TOTP(secret, digits=DIGITS, interval=STEP_SECONDS)
    current = int(now.timestamp()) // STEP_SECONDS
    found = None
    for step in range(current - TOLERANCE_STEPS, current + TOLERANCE_STEPS + 1):
        # All are compared, so that the time does not tell which one it was.
        if hmac.compare_digest(generator.generate_otp(step), code) and (
            last_step is None or step > last_step
        ):
            found = step
    return found
