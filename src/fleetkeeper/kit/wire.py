"""Request bodies read by msgspec: decompressed within bounds, and errors that name the field."""

import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import msgspec
import zstandard

from fleetkeeper.errors import BadRequestError, FieldError, InvalidInputError, TooLargeError

_Message = TypeVar("_Message")
# A zstd window of more than this would make the decompressor allocate it, whatever the body's size.
MAX_ZSTD_WINDOW_BYTES = 8 * 1024 * 1024
_NUL_ESCAPE = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def decompress(
    body: bytes, encoding: str, max_bytes: int, *, encodings: Sequence[str] = ("gzip", "zstd")
) -> bytes:
    """Undo one of the encodings and never hold more than `max_bytes` of the result.

    Raises TooLargeError past that and BadRequestError for a damaged or unknown encoding.
    """
    encoding = encoding.strip().lower().removeprefix("x-")
    if encoding in {"", "identity"}:
        result = body
    elif encoding in encodings:
        try:
            result = _UNPACKERS[encoding](body, max_bytes + 1)
        except (zlib.error, zstandard.ZstdError, EOFError, MemoryError) as error:
            raise BadRequestError(
                "The body cannot be decompressed.",
                fields=[FieldError("Content-Encoding", f"is {encoding}, and the body is not: {error}")],
            ) from None
    else:
        raise BadRequestError(
            "The body cannot be decompressed.",
            fields=[FieldError("Content-Encoding", f"is {', '.join(encodings)} or identity")],
        )
    if len(result) > max_bytes:
        raise TooLargeError(
            "The body is too large once decompressed.",
            fields=[FieldError("body", f"has at most {max_bytes} bytes")],
        )
    return result


def _gunzip(body: bytes, limit: int) -> bytes:
    return _inflate(body, limit, 31)


def _inflate(body: bytes, limit: int, window_bits: int = 15) -> bytes:
    inflater = zlib.decompressobj(window_bits)
    result = inflater.decompress(body, limit)
    if not inflater.eof and len(result) < limit:
        raise EOFError("it ends too early")
    return result


def _unzstd(body: bytes, limit: int) -> bytes:
    decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_ZSTD_WINDOW_BYTES)
    reader = decompressor.stream_reader(body)
    parts, length = [], 0
    while length < limit:
        part = reader.read(min(65_536, limit - length))
        if not part:
            break
        parts.append(part)
        length += len(part)
    if not parts:
        raise EOFError("it is empty")
    if length < limit and length != zstandard.frame_content_size(body):
        # The reader keeps quiet about a frame that ends too early; this call does not.
        decompressor.decompress(body, max_output_size=length + 1)
    return b"".join(parts)


_UNPACKERS: Mapping[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gunzip,
    "deflate": _inflate,
    "zstd": _unzstd,
}


def check_text(body: bytes) -> None:
    """Raise InvalidInputError for a NUL in some text: PostgreSQL stores none, and here it costs least to say so."""
    if b"u0000" in body and _NUL_ESCAPE.search(body):
        raise InvalidInputError(
            "Some text has a NUL character.", fields=[FieldError("body", "has no \\u0000")]
        )


def decode(body: bytes, decoder: "msgspec.json.Decoder[_Message]") -> _Message:
    """Read JSON into a struct. Raises BadRequestError for what is not JSON, InvalidInputError for what does not fit."""
    check_text(body)
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise invalid_input(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequestError(
            "The body is not valid JSON.", fields=[FieldError("body", str(error))]
        ) from None


def field_of(error: msgspec.ValidationError) -> FieldError:
    """The field that msgspec names behind its message (`… - at `$.frames[0].ts``)."""
    message, _, path = str(error).rpartition(" - at `")
    field = re.sub(r"^\$\.?", "", path.rstrip("`")) if message else ""
    return FieldError(field or "body", message or str(error))


def invalid_input(error: msgspec.ValidationError) -> InvalidInputError:
    """The product's error for a message that does not fit its schema."""
    return InvalidInputError("Some fields are wrong.", fields=[field_of(error)])
