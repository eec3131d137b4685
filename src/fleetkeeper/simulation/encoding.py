"""Frames as the wire's JSON, and bodies as agents compress them."""

import gzip
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Final

import msgspec
import zstandard

from fleetkeeper.simulation.noise import Floats

_QUOTE_STAND_IN: Final = "^"


class Compression(StrEnum):
    """How bodies are compressed."""

    ZSTD = "zstd"
    GZIP = "gzip"
    NONE = "none"


class FrameEncoder:
    r"""Writes rows of one list of channels as frames: `{"ts":…,"values":{channel:value,…}}`.

    A struct per list of channels is twice as fast as a dict, whose keys are searched for characters to escape
    each time. Struct fields must not need escapes, so a stand-in is written for `"` and replaced afterwards.
    """

    def __init__(self, channels: Iterable[str]) -> None:
        names = {
            f"f{number}": channel.replace('"', _QUOTE_STAND_IN) for number, channel in enumerate(channels)
        }
        if any("\\" in name for name in names.values()):
            raise ValueError("a label value of a simulated channel has no backslash")
        self._values = msgspec.defstruct(
            "Values", [(field, float) for field in names], rename=names, gc=False, frozen=True
        )
        self._encode = msgspec.json.Encoder().encode

    def frames(self, times: Floats, values: Floats) -> list[bytes]:
        """Encode one frame per row: `times` (epoch seconds, one per row), `values` (rows, channels)."""
        make, encode = self._values, self._encode
        return [
            b'{"ts":%s,"values":%s}'
            % (encode(ts), encode(make(*row)).replace(_QUOTE_STAND_IN.encode(), rb"\""))
            for ts, row in zip(times.tolist(), values.tolist(), strict=True)
        ]


def batch_body(frames: Iterable[bytes], batch_id: str) -> bytes:
    """Return the body of `POST /api/v1/telemetry`."""
    return b'{"batch_id":"%s","frames":[%s]}' % (batch_id.encode(), b",".join(frames))


def compressor(compression: Compression) -> tuple[Callable[[bytes], bytes], dict[str, str]]:
    """Return the function that compresses a body, and the header that says so.

    The function is not for two threads.
    """
    if compression is Compression.ZSTD:
        return zstandard.ZstdCompressor(level=1).compress, {"Content-Encoding": "zstd"}
    if compression is Compression.GZIP:
        return lambda body: gzip.compress(body, compresslevel=1, mtime=0), {"Content-Encoding": "gzip"}
    return lambda body: body, {}
