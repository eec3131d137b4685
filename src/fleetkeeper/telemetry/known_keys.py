"""The device keys that a web process has seen: each is looked up once, and all are verified together from then on."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
import structlog
from psycopg import AsyncConnection, OperationalError
from psycopg_pool import AsyncConnectionPool

from fleetkeeper.database.context import product_context
from fleetkeeper.devices.keys import FIRST_USE, KEY_PREFIX, OVERLAP
from fleetkeeper.errors import UnauthenticatedError, UnavailableError
from fleetkeeper.kit.periodic import Periodic
from fleetkeeper.kit.secrets import hash_secret

log = structlog.get_logger(__name__)

# A revoked key works at most that much longer.
VERIFY_SECONDS = 5.0
MAX_KNOWN_KEYS = 200_000
_CHUNK = 10_000


@dataclass
class KnownKeys:
    """Which device an Authorization header names."""

    pool: AsyncConnectionPool[AsyncConnection[Any]]
    # Header -> the device, and the hash of its key.
    _known: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)
    _verifier: Periodic = field(init=False)

    def __post_init__(self) -> None:
        self._verifier = Periodic("key verifier", VERIFY_SECONDS, self._try_verify)

    def start(self) -> None:
        """Begin to verify."""
        self._verifier.start()

    async def stop(self) -> None:
        """End the verifying."""
        await self._verifier.stop()

    def known(self, authorization: str) -> bytes | None:
        """The calling device's id, where this process knows the key; the path of nearly every request."""
        known = self._known.get(authorization)
        return None if known is None else known[0]

    async def device_of(self, authorization: str) -> bytes:
        """The calling device's id. Raises UnauthenticatedError, or UnavailableError without a database."""
        known = self.known(authorization)
        if known is not None:
            return known
        scheme, _, secret = authorization.partition(" ")
        secret = secret.strip()
        row = None
        if scheme.lower() == "bearer" and secret.startswith(KEY_PREFIX + "_") and len(secret) < 100:
            digest = hash_secret(secret)
            try:
                async with self.pool.connection() as connection:
                    cursor = await connection.execute(
                        "SELECT device_id, last_used_at FROM device_keys WHERE secret_hash = %s "
                        "AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())",
                        (digest,),
                    )
                    row = await cursor.fetchone()
                    if row is not None and row[1] is None:
                        await _note_first_use(connection, row[0], digest)
            except OperationalError:
                raise UnavailableError(
                    "The database is unavailable; nothing was stored.", retry_after_seconds=2
                ) from None
        if row is None:
            raise UnauthenticatedError(
                "Send the device's key as `Authorization: Bearer …`; it may have been revoked."
            )
        if len(self._known) >= MAX_KNOWN_KEYS:
            self._known.clear()
        device_id: bytes = row[0].bytes
        self._known[authorization] = (device_id, digest)
        return device_id

    async def verify(self) -> None:
        """Forget the keys that have been revoked, or whose device is gone."""
        headers = list(self._known)
        for start in range(0, len(headers), _CHUNK):
            chunk = [
                (name, self._known[name][1])
                for name in headers[start : start + _CHUNK]
                if name in self._known
            ]
            async with self.pool.connection() as connection:
                cursor = await connection.execute(
                    "SELECT secret_hash FROM device_keys WHERE secret_hash = ANY(%s) AND revoked_at IS NULL "
                    "AND (expires_at IS NULL OR expires_at > now())",
                    ([digest for _, digest in chunk],),
                )
                good = {bytes(row[0]) for row in await cursor.fetchall()}
            for header, digest in chunk:
                if digest not in good:
                    self._known.pop(header, None)

    async def _try_verify(self) -> None:
        try:
            await self.verify()
        except (psycopg.Error, OSError) as error:
            # Without a database no frame is stored either.
            log.warning("device keys were not verified", reason=str(error).splitlines()[:1])


async def _note_first_use(connection: AsyncConnection[Any], device_id: UUID, digest: bytes) -> None:
    context = product_context("device", str(device_id), device=str(device_id))
    await connection.execute("SELECT set_config('fleetkeeper.audit', %s, true)", (context.audit,))
    await connection.execute(FIRST_USE, {"hash": digest, "overlap": OVERLAP})
