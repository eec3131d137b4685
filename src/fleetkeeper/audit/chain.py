"""The end of the chain of seals: whether the next one may follow it, and how much waits for that."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.audit import queries
from fleetkeeper.audit.newest_seal import read_noted
from fleetkeeper.audit.seals import NO_SEAL_BEFORE, Seal, is_genuine
from fleetkeeper.audit.signing_key import existing_key
from fleetkeeper.errors import ConflictError, StartupError
from fleetkeeper.settings import Settings

BEHIND_AFTER = timedelta(minutes=5)
# Seals that somebody else has added are passed over on the way to a genuine one, so many at most.
SEALS_LOOKED_AT = 1000


class SealingStoppedError(ConflictError):
    """The next seal cannot be made: what it would follow is not as it should be."""


@dataclass(frozen=True)
class ChainEnd:
    """The newest genuine seal, and what keeps the next one from being made."""

    newest: Seal | None
    problem: str = ""


@dataclass(frozen=True)
class SealingState:
    """Whether sealing keeps up with the log, and why not."""

    status: Literal["current", "behind", "stopped"]
    reason: str
    newest: Seal | None
    # Counted up to `queries.MOST_COUNTED`.
    unsealed_entries: int
    oldest_unsealed_at: datetime | None


async def end_of_chain(session: AsyncSession, key: bytes | None, home: Path) -> ChainEnd:
    """Check the newest seal: its hash and signature, what it follows, and that none after it is missing.

    Without the key, as on a machine that does not seal, signatures are not looked at.
    """
    seals = await queries.newest_seals(session, 2)
    newest = next((seal for seal in seals[:1] if is_genuine(seal, key)), None)
    if seals and newest is None:
        name = f"Seal {seals[0].number} of {seals[0].sealed_at:%Y-%m-%d %H:%M:%S} UTC"
        looked_at = await queries.newest_seals(session, SEALS_LOOKED_AT)
        newest = next((seal for seal in looked_at if is_genuine(seal, key)), None)
        return ChainEnd(
            newest,
            f"{name} is not genuine: it was changed or made by somebody else, or this home's audit-key is another.",
        )
    if newest is not None and not _follows(newest, seals[1:]):
        return ChainEnd(newest, f"The seal before seal {newest.number} was removed or changed.")
    try:
        noted = read_noted(home)
    except ConflictError as error:
        return ChainEnd(newest, error.detail)
    if noted is not None and await queries.hash_of_seal(session, noted.number) != noted.seal_hash:
        return ChainEnd(
            newest,
            f"Seal {noted.number}, which was made here, is missing or another: seals at the end were removed. If you "
            "restored an older database, run `fleetkeeper audit seal --after-restore` once.",
        )
    if not await queries.is_known_cluster(session):
        return ChainEnd(
            newest,
            "The database was restored into another PostgreSQL, where transactions are counted anew. "
            "Run `fleetkeeper audit seal --after-restore` once.",
        )
    return ChainEnd(newest)


def _follows(newest: Seal, before: list[Seal]) -> bool:
    if newest.number == 1:
        return not before and newest.previous_hash == NO_SEAL_BEFORE
    return bool(
        before
        and before[0].number == newest.number - 1
        and before[0].seal_hash == newest.previous_hash
        and before[0].to_transaction == newest.from_transaction
    )


async def sealing_state(session: AsyncSession, settings: Settings, now: datetime) -> SealingState:
    """Where sealing stands, as far as the session may see the log."""
    try:
        key = existing_key(settings)
    except StartupError as error:
        end = ChainEnd(await queries.newest_seal(session), str(error))
    else:
        end = await end_of_chain(session, key, settings.home)
    begin = end.newest.to_transaction if end.newest else 0
    count, oldest, waits_for_others = await queries.unsealed(session, begin)
    reason = ""
    status: Literal["current", "behind", "stopped"] = "current"
    if end.problem:
        status, reason = "stopped", end.problem
    elif oldest is not None and now - oldest > BEHIND_AFTER:
        status = "behind"
        reason = (
            "A transaction that began before the oldest entry has not ended; find it in pg_stat_activity."
            if waits_for_others
            else "The worker makes no seals; its log says why."
        )
    return SealingState(status, reason, end.newest, count, oldest)
