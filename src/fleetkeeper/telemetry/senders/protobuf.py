"""Reads the wire format of Protocol Buffers where generated classes are too slow: varints and the ends of fields.

Every length is held against the end of what it lies in, so that a body that lies ends in SenderInputError.
"""

from collections.abc import Iterator

from fleetkeeper.telemetry.reasons import Reason
from fleetkeeper.telemetry.senders.batches import PartError, SenderInputError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
TRUNCATED = "the protobuf message ends too early"


def read_varint(data: bytes, position: int, end: int) -> tuple[int, int]:
    """A varint of at most 64 bits, and where it ends."""
    result = shift = 0
    while position < end:
        byte = data[position]
        position += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result & 0xFFFF_FFFF_FFFF_FFFF, position
        shift += 7
        if shift > 63:
            raise SenderInputError("the protobuf message has a number of more than 64 bits")
    raise SenderInputError(TRUNCATED)


def read_fields(data: bytes, position: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Each field of a message in `data[position:end]`: number, wire type, and two numbers.

    Those are where the value begins and ends; of a varint its value, and where the field ends.
    """
    while position < end:
        tag, position = read_varint(data, position, end)
        number, wire_type = tag >> 3, tag & 7
        if number == 0:
            raise SenderInputError("the protobuf message has a field with the number 0")
        if wire_type == BYTES:
            size, position = read_varint(data, position, end)
            stop = position + size
            first, second = position, stop
        elif wire_type == VARINT:
            first, stop = read_varint(data, position, end)
            second = stop
        elif wire_type in {FIXED64, FIXED32}:
            stop = position + (8 if wire_type == FIXED64 else 4)
            first, second = position, stop
        else:
            # Groups are deprecated, and none of these messages has any.
            raise SenderInputError("the protobuf message has a field of an unknown kind")
        if stop > end:
            raise SenderInputError(TRUNCATED)
        yield number, wire_type, first, second
        position = stop


def signed(value: int) -> int:
    """A varint as an int64."""
    return value - (1 << 64) if value >> 63 else value


def text_of(data: bytes, start: int, end: int) -> str:
    """A string field. Raises PartError for what is not UTF-8."""
    try:
        return data[start:end].decode()
    except UnicodeDecodeError:
        raise PartError(Reason.NOT_UTF8, "the name or value of a label is not UTF-8") from None
