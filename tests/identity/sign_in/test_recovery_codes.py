"""Codes that stand in for a lost factor."""

import pytest
from sqlalchemy import select

from fleetkeeper.identity.sign_in import recovery_codes
from fleetkeeper.identity.sign_in.models import RecoveryCode
from fleetkeeper.identity.users.service import create_user
from fleetkeeper.kit.clock import utc_now


class TestCodes:
    def test_have_120_bits_and_differ(self):
        codes = {recovery_codes.make_code() for _ in range(200)}
        assert len(codes) == 200
        assert all(len(code.replace("-", "")) * 5 == 120 for code in codes)

    @pytest.mark.parametrize("typed", ["abcd-0123", " ABCD 0I23 ", "abcd0l23", "AbCd-oi23"])
    def test_however_it_is_typed(self, typed):
        assert recovery_codes.hash_code(typed) == recovery_codes.hash_code("ABCD-0123")

    async def test_each_is_good_once_and_only_for_its_owner(self, session):
        maria = await create_user(session, "maria", None)
        otto = await create_user(session, "otto", None)
        codes = await recovery_codes.replace_codes(session, maria.id, utc_now())
        assert len(codes) == 10
        stored = (await session.scalars(select(RecoveryCode.code_hash))).all()
        assert not {code.encode() for code in codes} & set(stored)
        assert not await recovery_codes.use_code(session, otto.id, codes[0], utc_now())
        assert await recovery_codes.use_code(session, maria.id, codes[0].lower(), utc_now())
        assert not await recovery_codes.use_code(session, maria.id, codes[0], utc_now())
        assert not await recovery_codes.use_code(session, maria.id, "", utc_now())

    async def test_new_ones_end_the_old(self, session):
        maria = await create_user(session, "maria", None)
        old = await recovery_codes.replace_codes(session, maria.id, utc_now())
        new = await recovery_codes.replace_codes(session, maria.id, utc_now())
        assert not await recovery_codes.use_code(session, maria.id, old[0], utc_now())
        assert await recovery_codes.use_code(session, maria.id, new[0], utc_now())
