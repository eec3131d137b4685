"""Codes of authenticator apps."""

from datetime import UTC, datetime, timedelta
from urllib.parse import unquote_to_bytes
from uuid import UUID
from xml.etree import ElementTree as ET

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper.identity.sign_in import totp
from fleetkeeper.kit.sealing import Sealer, SealingError

NOW = datetime(2026, 11, 21, 9, 0, 10, tzinfo=UTC)
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
STEP = int(NOW.timestamp()) // 30
USER = UUID(int=7)


def code_at(steps: int) -> str:
    return pyotp.TOTP(SECRET).at(NOW + timedelta(seconds=30 * steps))


class TestMatchingStep:
    def test_vector_of_the_standard(self):
        """RFC 6238, appendix B, its last six digits."""
        secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
        assert totp.matching_step(secret, "287082", datetime.fromtimestamp(59, UTC), None) == 1

    @pytest.mark.parametrize("steps", [-1, 0, 1])
    def test_takes_the_neighbours(self, steps):
        assert totp.matching_step(SECRET, code_at(steps), NOW, None) == STEP + steps

    @pytest.mark.parametrize("steps", [-3, -2, 2, 3])
    def test_takes_no_others(self, steps):
        assert totp.matching_step(SECRET, code_at(steps), NOW, None) is None

    def test_takes_no_step_twice_and_none_before(self):
        assert totp.matching_step(SECRET, code_at(0), NOW, STEP) is None
        assert totp.matching_step(SECRET, code_at(-1), NOW, STEP) is None
        assert totp.matching_step(SECRET, code_at(1), NOW, STEP) == STEP + 1

    def test_blanks_do_not_matter(self):
        code = code_at(0)
        assert totp.matching_step(SECRET, f" {code[:3]} {code[3:]} ", NOW, None) == STEP

    @given(st.text(max_size=12))
    def test_anything_else_is_refused_in_peace(self, text):
        if "".join(text.split()) not in {code_at(steps) for steps in (-1, 0, 1)}:
            assert totp.matching_step(SECRET, text, NOW, None) is None


class TestSecret:
    def test_has_160_bits(self):
        secrets = {totp.make_secret() for _ in range(50)}
        assert len(secrets) == 50
        assert all(len(secret) * 5 == 160 for secret in secrets)

    def test_is_sealed_for_its_user(self):
        sealer = Sealer(bytes(32))
        sealed = totp.seal_secret(sealer, USER, SECRET)
        assert SECRET.encode() not in sealed
        assert totp.open_secret(sealer, USER, sealed) == SECRET
        with pytest.raises(SealingError):
            totp.open_secret(sealer, UUID(int=8), sealed)

    def test_uri_holds_a_hostile_name_as_text(self):
        uri = totp.provisioning_uri(SECRET, "a&secret=X?issuer=b/ü")
        parsed = pyotp.parse_uri(uri)
        assert parsed.secret == SECRET
        assert parsed.issuer == "Fleetkeeper"

    def test_picture_is_an_svg_without_script(self):
        address = totp.qr_code(totp.provisioning_uri(SECRET, "maria"))
        kind, _, body = address.partition(",")
        assert kind.startswith("data:image/svg+xml")
        picture = ET.fromstring(unquote_to_bytes(body))
        assert picture.tag.endswith("svg")
        assert SECRET not in address
