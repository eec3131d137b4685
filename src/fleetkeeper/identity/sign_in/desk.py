"""What the steps of a sign-in share: the browser at the door, what they work with, and what the audit log gets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.audit.recorder import record_event
from fleetkeeper.audit.tally import Event, EventTally
from fleetkeeper.database.context import NOBODY, TransactionContext
from fleetkeeper.database.engine import Database
from fleetkeeper.errors import OverloadedError
from fleetkeeper.identity.models import User
from fleetkeeper.identity.service import Browser
from fleetkeeper.identity.sign_in.throttle import Admission, Bucket, address_bucket
from fleetkeeper.kit.sealing import Sealer
from fleetkeeper.settings.identity import IdentitySettings

CHALLENGE_LIFETIME = timedelta(minutes=5)
MAX_USERNAME_LENGTH = 100


@dataclass(frozen=True)
class Visit:
    """The browser at the door: where it comes from, and the secrets in its cookies."""

    browser: Browser
    # `address`, `agent` and `request`, for the audit log.
    origin: Mapping[str, str] = field(default_factory=dict)
    session_secret: str = ""
    browser_secret: str = ""
    challenge_secret: str = ""
    # What the transactions of somebody who is signed in already go by.
    context: TransactionContext = NOBODY


@dataclass(frozen=True)
class Opened:
    """Signed in. `browser_secret` is for the cookie by which the browser will be known."""

    session_secret: str
    browser_secret: str
    user_id: UUID
    next_path: str


@dataclass(frozen=True)
class Challenged:
    """A second factor is asked for; the secret is for a cookie."""

    challenge_secret: str


@dataclass(frozen=True)
class Proof:
    """A second factor as it was entered: exactly one of the three."""

    code: str = ""
    recovery_code: str = ""
    passkey: Mapping[str, Any] | None = None

    @property
    def kind(self) -> str:
        """What it is, for the audit log."""
        if self.passkey is not None:
            return "passkey"
        return "recovery_code" if self.recovery_code else "totp"


@dataclass(frozen=True)
class SignInDesk:
    """What the steps work with."""

    database: Database
    sealer: Sealer
    settings: IdentitySettings
    events: EventTally

    @property
    def lifetime(self) -> timedelta:
        """How long a session lives at most."""
        return timedelta(hours=self.settings.session_lifetime_hours)

    def address_bucket(self, visit: Visit) -> Bucket:
        """What failures of this address count against."""
        return address_bucket(visit.browser.address, self.settings.sign_in_attempts_per_minute)


def anonymous_context(visit: Visit) -> TransactionContext:
    """Somebody who has not proved who they are."""
    known = {"kind": "anonymous", "name": "anonymous"} | dict(visit.origin)
    return TransactionContext(audit=msgspec.json.encode({k: v for k, v in known.items() if v}).decode())


def user_context(user: User, visit: Visit) -> TransactionContext:
    """A user who has just proved who they are."""
    known = {"kind": "user", "name": user.username, "user": str(user.id)} | dict(visit.origin)
    return TransactionContext(audit=msgspec.json.encode({k: v for k, v in known.items() if v}).decode())


def printable(text: str) -> str:
    """A text from outside as the audit log can hold it."""
    return "".join(mark for mark in text if mark.isprintable())[:MAX_USERNAME_LENGTH]


async def note_failure(desk: SignInDesk, visit: Visit, name: str, method: str) -> None:
    """Keep in the audit log that somebody did not prove who they are."""
    context = anonymous_context(visit) if visit.context is NOBODY else visit.context
    cause = f"{visit.browser.address}:{method}"
    event = Event(
        "session.sign_in_failed", "session", cause, record_name=printable(name), details={"method": method}
    )
    await desk.events.note(context, event)


async def note_refusal(session: AsyncSession, admission: Admission, name: str, method: str) -> None:
    """Keep in the audit log that attempts are refused without being judged."""
    if admission.refused_by is not None:
        details = {"method": method, "limit": admission.refused_by.partition(":")[0]}
        await record_event(
            session, "session.sign_in_refused", "session", None, printable(name), details=details
        )


def refuse_when_full(admission: Admission) -> None:
    """Raise OverloadedError when an attempt was not admitted."""
    if admission.wait_seconds:
        raise OverloadedError(
            f"Too many failed attempts; try again in {admission.wait_seconds} seconds.",
            retry_after_seconds=admission.wait_seconds,
        )
