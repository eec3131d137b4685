"""Sealing secrets, and the key that does it."""

import base64
import multiprocessing
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from fleetkeeper.errors import StartupError
from fleetkeeper.kit.sealing import KEY_FILE, Sealer, SealingError, installation_key

SEALER = Sealer(bytes(range(32)))


class TestSealer:
    @given(st.binary(max_size=500), st.binary(max_size=50))
    def test_round_trip(self, secret, context):
        sealed = SEALER.seal(secret, context)
        assert SEALER.open(sealed, context) == secret
        assert len(secret) < 4 or secret not in sealed

    @given(st.binary(max_size=60), st.data())
    def test_each_changed_bit_is_noticed(self, secret, data):
        sealed = bytearray(SEALER.seal(secret, b"row 1"))
        sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        with pytest.raises(SealingError):
            SEALER.open(bytes(sealed), b"row 1")

    @given(st.binary(max_size=60))
    def test_garbage_is_refused(self, garbage):
        with pytest.raises(SealingError):
            SEALER.open(garbage, b"")

    def test_each_cut_is_noticed(self):
        sealed = SEALER.seal(b"secret", b"row 1")
        for length in range(len(sealed)):
            with pytest.raises(SealingError):
                SEALER.open(sealed[:length], b"row 1")

    def test_context_and_key_count(self):
        sealed = SEALER.seal(b"secret", b"row 1")
        with pytest.raises(SealingError):
            SEALER.open(sealed, b"row 2")
        with pytest.raises(SealingError):
            Sealer(bytes(32)).open(sealed, b"row 1")

    def test_the_same_secret_is_never_sealed_alike(self):
        assert len({SEALER.seal(b"secret", b"") for _ in range(100)}) == 100

    @pytest.mark.parametrize("length", [0, 16, 31, 33])
    def test_key_of_another_length(self, length):
        with pytest.raises(ValueError):
            Sealer(bytes(length))


def _read_key(home, start, found) -> None:
    start.wait()
    found.put(installation_key(None, home))


class TestKey:
    def test_is_made_once_and_only_its_owner_reads_it(self, tmp_path):
        key = installation_key(None, tmp_path)
        assert len(key) == 32
        assert installation_key(None, tmp_path) == key
        assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
        assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]

    def test_two_installations_share_none(self, tmp_path):
        assert installation_key(None, tmp_path / "a") != installation_key(None, tmp_path / "b")

    def test_processes_that_make_it_at_once_agree(self, tmp_path):
        context = multiprocessing.get_context("forkserver")
        start, found = context.Event(), context.Queue()
        processes = [context.Process(target=_read_key, args=(tmp_path, start, found)) for _ in range(6)]
        for process in processes:
            process.start()
        start.set()
        keys = {found.get(timeout=60) for _ in processes}
        for process in processes:
            process.join()
        assert len(keys) == 1
        assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]

    def test_configured_key_wins(self, tmp_path):
        given_key = SecretStr(base64.b64encode(bytes(32)).decode())
        assert installation_key(given_key, tmp_path) == bytes(32)
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize("text", ["", "short", base64.b64encode(bytes(31)).decode(), "é" * 44])
    def test_wrong_key_is_named(self, tmp_path, text):
        with pytest.raises(StartupError, match="FLEETKEEPER_IDENTITY__SECRET_KEY"):
            installation_key(SecretStr(text), tmp_path)
        (tmp_path / KEY_FILE).write_text(text)
        with pytest.raises(StartupError, match=KEY_FILE):
            installation_key(None, tmp_path)
