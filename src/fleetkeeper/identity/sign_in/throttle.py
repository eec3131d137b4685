"""What slows down guessing: failed attempts are counted in the database, so all web processes count together.

An attempt is counted before it is judged and taken back when it succeeds. So many guesses at once cannot slip past,
and a failure stays counted whatever becomes of the request.
"""

import hashlib
import ipaddress
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.identity.sign_in.models import SignInFailure
from fleetkeeper.kit.ids import uuid7

ACCOUNT_FAILURES = 30
# So much of them may come from one address, which alone must not use up the others' attempts.
ADDRESS_FAILURES = 10
ACCOUNT_WINDOW = timedelta(minutes=15)
# A code has six digits, of which three are good at a time: 20 guesses an hour find one in four years, on average.
FACTOR_FAILURES = 20
FACTOR_WINDOW = timedelta(hours=1)
CONFIRMATION_FAILURES = 10
ADDRESS_WINDOW = timedelta(minutes=1)
# Refusals are noted once in this time, so that nobody can fill the audit log with them.
REFUSAL_NOTED_EVERY = timedelta(minutes=1)
# The customer of a network gets this much of IPv6 at least, and may take any address in it.
IPV6_PREFIX = 64


@dataclass(frozen=True)
class Bucket:
    """What failures count against, and how many are allowed in a time."""

    name: str
    limit: int
    window: timedelta


@dataclass(frozen=True)
class Admission:
    """Whether an attempt may be made: `wait_seconds` is 0, or the time until the next one may."""

    counted: tuple[UUID, ...] = ()
    wait_seconds: int = 0
    # The bucket that refused, when this refusal has not been noted yet.
    refused_by: str | None = None


def address_bucket(address: str | None, per_minute: int) -> Bucket:
    """The failures of one address; an IPv6 network counts as one."""
    name = address or "unknown"
    try:
        parsed = ipaddress.ip_address(name)
    except ValueError:
        return Bucket("address:unknown", per_minute, ADDRESS_WINDOW)
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            name = str(parsed.ipv4_mapped)
        else:
            name = str(ipaddress.ip_network((int(parsed), IPV6_PREFIX), strict=False))
    return Bucket(f"address:{name}", per_minute, ADDRESS_WINDOW)


def account_bucket(username: str) -> Bucket:
    """The failures on one account from browsers that it is not known in, whether there is such an account or not."""
    return Bucket(f"account:{_digest(username)}", ACCOUNT_FAILURES, ACCOUNT_WINDOW)


def account_address_bucket(username: str, address: Bucket) -> Bucket:
    """Those of one address among them."""
    return Bucket(f"{address.name}:{_digest(username)}", ADDRESS_FAILURES, ACCOUNT_WINDOW)


def _digest(username: str) -> str:
    return hashlib.sha256(username.lower().encode(errors="replace")).hexdigest()


def browser_bucket(browser_id: UUID) -> Bucket:
    """The failures in a browser that has signed in to the account before: strangers cannot use these up."""
    return Bucket(f"browser:{browser_id}", ACCOUNT_FAILURES, ACCOUNT_WINDOW)


def factor_bucket(user_id: UUID, browser_id: UUID | None) -> Bucket:
    """Wrong second factors, by somebody who knew the password."""
    name = f"factor:{user_id}" if browser_id is None else f"factor:{user_id}:{browser_id}"
    return Bucket(name, FACTOR_FAILURES, FACTOR_WINDOW)


def confirmation_bucket(user_id: UUID) -> Bucket:
    """Wrong answers of somebody who is signed in and asked to prove it again."""
    return Bucket(f"confirmation:{user_id}", CONFIRMATION_FAILURES, ACCOUNT_WINDOW)


async def admit(session: AsyncSession, buckets: Collection[Bucket], now: datetime) -> Admission:
    """Count an attempt as failed in each bucket, unless one of them is full. The caller commits it at once."""
    ordered = sorted(buckets, key=lambda bucket: bucket.name)
    for bucket in ordered:
        # In one order everywhere, so that no two attempts wait for each other.
        await session.execute(
            select(func.pg_advisory_xact_lock(func.hashtextextended("sign_in:" + bucket.name, 0)))
        )
    for bucket in ordered:
        failures = (
            await session.scalars(
                select(SignInFailure.failed_at)
                .where(SignInFailure.bucket == bucket.name, SignInFailure.failed_at > now - bucket.window)
                .order_by(SignInFailure.failed_at.desc())
                .limit(bucket.limit)
            )
        ).all()
        if len(failures) >= bucket.limit:
            wait = math.ceil((failures[-1] + bucket.window - now).total_seconds())
            is_new = await _note_refusal(session, bucket, now)
            return Admission(wait_seconds=max(1, wait), refused_by=bucket.name if is_new else None)
    counted = [SignInFailure(id=uuid7(), bucket=bucket.name, failed_at=now) for bucket in ordered]
    session.add_all(counted)
    await session.flush()
    return Admission(tuple(failure.id for failure in counted))


async def _note_refusal(session: AsyncSession, bucket: Bucket, now: datetime) -> bool:
    name = f"refused:{bucket.name}"
    noted = await session.scalar(
        select(SignInFailure.id)
        .where(SignInFailure.bucket == name, SignInFailure.failed_at > now - REFUSAL_NOTED_EVERY)
        .limit(1)
    )
    if noted is None:
        session.add(SignInFailure(id=uuid7(), bucket=name, failed_at=now))
        await session.flush()
    return noted is None


async def take_back(session: AsyncSession, counted: Sequence[UUID]) -> None:
    """The attempt was no failure."""
    await session.execute(delete(SignInFailure).where(SignInFailure.id.in_(counted)))
