"""Bodies on their way in: bounded, and refused with the field's name."""

import gzip
import json

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper.errors import BadRequestError, FleetkeeperError, InvalidInputError, TooLargeError
from fleetkeeper.kit.wire import check_text, decode, decompress


class Item(msgspec.Struct):
    name: str
    size: int = 0


class Box(msgspec.Struct):
    items: list[Item]


DECODER = msgspec.json.Decoder(Box)
PACKERS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "zstd": lambda data: zstandard.ZstdCompressor().compress(data),
    "identity": bytes,
    "": bytes,
}


class TestDecompress:
    @given(st.binary(max_size=500), st.sampled_from(sorted(PACKERS)), st.integers(0, 600))
    def test_gives_the_body_or_says_that_it_is_too_large(self, body, encoding, bound):
        try:
            assert decompress(PACKERS[encoding](body), encoding, bound) == body
            assert len(body) <= bound
        except TooLargeError:
            assert len(body) > bound
        except BadRequestError:
            # An empty zstd frame is no message.
            assert encoding == "zstd"
            assert not body

    @given(st.binary(max_size=300), st.sampled_from(["gzip", "zstd"]))
    def test_any_bytes_are_answered_with_an_error_of_ours(self, body, encoding):
        try:
            decompress(body, encoding, 1000)
        except FleetkeeperError as error:
            assert error.fields  # noqa: PT017 - any of two classes

    @given(st.binary(min_size=1, max_size=300), st.sampled_from(["gzip", "zstd"]), st.data())
    def test_cut_off_body_is_refused(self, body, encoding, data):
        packed = PACKERS[encoding](body)
        end = data.draw(st.integers(0, len(packed) - 1))
        with pytest.raises(BadRequestError):
            decompress(packed[:end], encoding, 10_000)

    def test_large_window_is_refused(self):
        parameters = zstandard.ZstdCompressionParameters.from_level(1, window_log=27)
        packed = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
        body = packed.compress(b"0" * 100) + packed.flush()
        with pytest.raises(BadRequestError):
            decompress(body, "zstd", 1_000_000)


class TestDecode:
    @pytest.mark.parametrize(
        ("body", "field"),
        [
            (b'{"items":[{"name":1}]}', "items[0].name"),
            (b'{"items":[{"name":"a"},{}]}', "items[1]"),
            (b'{"items":[{"name":"a","size":1e99}]}', "items[0].size"),
            (b"{}", "body"),
            (b'{"items":[{"name":"a\\u0000b"}]}', "body"),
        ],
    )
    def test_wrong_field_is_named(self, body, field):
        with pytest.raises(InvalidInputError) as refusal:
            decode(body, DECODER)
        assert refusal.value.fields[0].field == field

    @pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"items":[{"name":"\xc3\x28"}]}'])
    def test_what_is_not_json(self, body):
        with pytest.raises(FleetkeeperError) as refusal:
            decode(body, DECODER)
        assert refusal.value.status in {400, 422}

    @given(st.text(st.characters(codec="utf-8"), max_size=20))
    def test_nul_is_found_however_it_is_written(self, text):
        body = json.dumps({"text": text}).encode()
        if "\x00" in text:
            with pytest.raises(InvalidInputError):
                check_text(body)
        else:
            check_text(body)

    @pytest.mark.parametrize("text", ["\\u0000", "\\\\u0000", "C:\\u0000"])
    def test_backslash_before_u0000_is_no_nul(self, text):
        check_text(json.dumps({"text": text}).encode())
