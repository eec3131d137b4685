"""The page on which people protect their account."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fleetkeeper.console.contexts.panels import EntryForm
from fleetkeeper.console.contexts.shell import Shell


@dataclass(frozen=True)
class PasskeyRow:
    """One passkey."""

    id: UUID
    name: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True)
class TotpSetup:
    """A new authenticator app that waits for its first code."""

    secret: str
    qr_code: str


@dataclass(frozen=True)
class SecurityPart:
    """What changes as the owner works on it."""

    csrf_token: str
    must_enrol: bool
    is_fresh: bool
    has_password: bool
    password_changed_at: datetime | None
    totp_since: datetime | None
    totp_setup: TotpSetup | None
    passkeys: tuple[PasskeyRow, ...]
    offers_passkeys: bool
    recovery_codes_left: int
    # Shown once.
    new_recovery_codes: tuple[str, ...]
    confirm_form: EntryForm
    password_form: EntryForm
    totp_form: EntryForm
    message: str
    is_good: bool


@dataclass(frozen=True)
class SecurityPage(SecurityPart):
    """The same in its page."""

    shell: Shell
