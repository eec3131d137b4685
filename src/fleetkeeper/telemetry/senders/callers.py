"""Who sends: an API token, whose user may write for some devices, or a device's own key."""

import base64
import binascii
import time
from collections.abc import Collection, Hashable
from dataclasses import dataclass, field
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.devices.keys import KEY_PREFIX, find_caller
from fleetkeeper.errors import ForbiddenError, UnauthenticatedError
from fleetkeeper.identity.actor import NOWHERE, Actor, Scope
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.service import TOKEN_PREFIX, actor_of_token
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.telemetry.refusals.notes import Origin
from fleetkeeper.telemetry.senders import queries

# A revoked credential works at most that much longer, as with agents' keys.
REMEMBER_SECONDS = 5.0
MAX_REMEMBERED = 50_000


@dataclass(frozen=True)
class Caller:
    """Who sends, and what the audit log says of it. Exactly one of `actor` and `device_id` is there."""

    actor: Actor | None
    device_id: UUID | None
    audit: str = ""

    def may(self, permission: Permission) -> bool:
        """Whether the caller has a permission anywhere; a device's key has none of these."""
        return self.actor is not None and self.actor.may(permission)

    @property
    def key(self) -> Hashable:
        """What its requests are counted by."""
        return self.device_id or (self.actor and self.actor.token_id)

    @property
    def reaches_all(self) -> bool:
        """Whether the caller may write for every device."""
        return self.actor is not None and self.actor.may_everywhere(Permission.TELEMETRY_WRITE)

    @property
    def reach(self) -> Scope:
        """Where the caller may write; nowhere for a device's key, which writes for its device."""
        return NOWHERE if self.actor is None else self.actor.scope(Permission.TELEMETRY_WRITE)

    @property
    def origin(self) -> Origin:
        """Where its samples come from, as far as the caller alone says it."""
        if self.actor is None:
            return Origin(self.device_id)
        return Origin(departments=None if self.reach.everywhere else self.reach.departments)

    async def reachable(self, session: AsyncSession, devices: Collection[UUID]) -> set[UUID]:
        """Those of the devices that the caller may write for, as of now."""
        if self.actor is None:
            return {device for device in devices if device == self.device_id}
        scope = self.reach
        if scope.everywhere or not devices:
            return set(devices)
        return await queries.devices_within(session, devices, scope.departments)

    async def department_for_new(self, session: AsyncSession) -> tuple[UUID | None, str]:
        """Where devices belong that this caller makes, and why it may make none."""
        if self.actor is None:
            return None, "a device's key writes for its own device"
        scope = self.actor.scope(Permission.DEVICES_CREATE) & self.actor.scope(Permission.TELEMETRY_WRITE)
        if scope.everywhere:
            return None, ""
        if not scope:
            return None, f"that needs the permission {Permission.DEVICES_CREATE}"
        topmost = await queries.topmost_departments(session, scope.departments)
        if len(topmost) != 1:
            return None, "limit the token to one department, where new devices belong"
        return topmost[0], ""


@dataclass
class Callers:
    """The credentials that a web process has seen in the last seconds."""

    database: Database
    _known: dict[tuple[str, str], tuple[float, Actor | None, UUID | None, str]] = field(default_factory=dict)

    async def find(self, authorization: str, address: str, origin: dict[str, str]) -> Caller:
        """Who sends. Raises UnauthenticatedError, and ForbiddenError without the permission to write telemetry."""
        key, now = (authorization, address), time.monotonic()
        known = self._known.get(key)
        if known is None or known[0] < now:
            known = (now + REMEMBER_SECONDS, *await self._look_up(secret_of(authorization), address))
            if len(self._known) >= MAX_REMEMBERED:
                self._known.clear()
            self._known[key] = known
        _, actor, device_id, name = known
        if actor is not None and not actor.may(Permission.TELEMETRY_WRITE):
            raise ForbiddenError(f"This needs the permission {Permission.TELEMETRY_WRITE}.")
        who = {
            "kind": actor.kind if actor is not None else "device",
            "name": name,
            "user": actor and actor.user_id and str(actor.user_id),
            "token": actor and actor.token_id and str(actor.token_id),
            "device": device_id and str(device_id),
        } | origin
        audit = msgspec.json.encode({key: value for key, value in who.items() if value}).decode()
        return Caller(actor, device_id, audit)

    async def _look_up(self, secret: str, address: str) -> tuple[Actor | None, UUID | None, str]:
        if secret.startswith(KEY_PREFIX + "_"):
            async with self.database.session(product_context("job", "senders.find_caller")) as session:
                device = await find_caller(session, secret)
            if device is not None:
                return None, device.device_id, device.name
        elif secret.startswith(TOKEN_PREFIX + "_"):
            async with self.database.session() as session:
                actor = await actor_of_token(session, secret, utc_now(), address)
            if actor is not None:
                return actor, None, actor.name
        raise UnauthenticatedError(
            "Send an API token or a device's key as `Authorization: Bearer …`, `Token …`, or as a password."
        )


def secret_of(authorization: str) -> str:
    """The token in an Authorization header: after Bearer or Token, or the password of Basic; empty without one."""
    scheme, _, rest = authorization.partition(" ")
    rest = rest.strip()
    if scheme.lower() in {"bearer", "token"}:
        # InfluxDB 1.8 takes `Token user:password`.
        return rest.rpartition(":")[2]
    if scheme.lower() == "basic" and len(rest) < 1000:
        try:
            return base64.b64decode(rest, validate=True).decode().partition(":")[2]
        except (binascii.Error, ValueError):
            return ""
    return ""
