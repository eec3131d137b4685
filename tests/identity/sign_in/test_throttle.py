"""What slows down guessing."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from fleetkeeper.identity.sign_in.models import SignInFailure
from fleetkeeper.identity.sign_in.throttle import (
    Bucket,
    account_bucket,
    address_bucket,
    admit,
    browser_bucket,
    take_back,
)

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
BUCKET = Bucket("address:192.0.2.7", 3, timedelta(minutes=1))
SECOND = timedelta(seconds=1)


class TestBuckets:
    @pytest.mark.parametrize(
        ("address", "name"),
        [
            ("192.0.2.7", "address:192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "address:2001:db8:1:2::/64"),
            ("2001:db8:1:2:ffff::", "address:2001:db8:1:2::/64"),
            ("::ffff:192.0.2.7", "address:192.0.2.7"),
            (None, "address:unknown"),
            ("", "address:unknown"),
            ("testclient", "address:unknown"),
        ],
    )
    def test_an_ipv6_network_is_one_address(self, address, name):
        assert address_bucket(address, 10).name == name

    def test_account_by_its_name_in_any_case_and_length(self):
        assert account_bucket("Maria") == account_bucket("mARIA") != account_bucket("mario")
        assert len(account_bucket("\ud800" * 10_000).name) <= 150
        assert len(browser_bucket(UUID(int=1)).name) <= 150


class TestAdmit:
    async def test_so_many_and_no_more(self, session):
        for second in range(3):
            assert (await admit(session, [BUCKET], NOW + second * SECOND)).wait_seconds == 0
        refused = await admit(session, [BUCKET], NOW + 3 * SECOND)
        assert refused.wait_seconds == 57
        assert refused.refused_by == BUCKET.name
        assert refused.counted == ()

    async def test_refusals_do_not_prolong_the_wait_and_are_noted_once(self, session):
        for _ in range(3):
            await admit(session, [BUCKET], NOW)
        noted = [(await admit(session, [BUCKET], NOW + second * SECOND)).refused_by for second in range(50)]
        assert noted == [BUCKET.name] + [None] * 49
        assert (await admit(session, [BUCKET], NOW + 60 * SECOND)).wait_seconds == 0

    async def test_success_is_taken_back(self, session):
        for _ in range(20):
            admission = await admit(session, [BUCKET], NOW)
            assert admission.wait_seconds == 0
            await take_back(session, admission.counted)

    async def test_full_bucket_uses_up_none_of_the_others(self, session):
        other = Bucket("account:x", 1, timedelta(minutes=1))
        for _ in range(3):
            await admit(session, [BUCKET], NOW)
        assert (await admit(session, [other, BUCKET], NOW)).wait_seconds
        assert (await admit(session, [other], NOW)).wait_seconds == 0

    async def test_guesses_at_once_do_not_slip_past(self, app):
        """Each in a transaction of its own, as requests of many web processes are."""
        database = app.state.database
        bucket = Bucket("address:198.51.100.1", 5, timedelta(minutes=1))
        other = Bucket("account:y", 1000, timedelta(minutes=1))

        async def attempt(number: int) -> bool:
            async with database.session() as session:
                # In either order: the order of the locks is the throttle's own.
                buckets = [bucket, other] if number % 2 else [other, bucket]
                return not (await admit(session, buckets, NOW)).wait_seconds

        outcomes = await asyncio.gather(*(attempt(number) for number in range(40)))
        assert sum(outcomes) == 5
        async with database.session() as session:
            stored = select(func.count()).where(SignInFailure.bucket == bucket.name)
            assert await session.scalar(stored) == 5
