"""A large OTLP resource in protobuf as several smaller ones that say the same together. Pure.

The generated classes parse a message in one go, and make up to forty times its bytes of it. So they get no more than a
piece at a time; what lies between its ends is counted before.
"""

from collections.abc import Iterator

from fleetkeeper.telemetry.senders.batches import TooManyError
from fleetkeeper.telemetry.senders.effort import Effort
from fleetkeeper.telemetry.senders.otlp_salvage import RESOURCE, Level, field_of
from fleetkeeper.telemetry.senders.protobuf import BYTES, read_fields

PIECE_BYTES = 256 * 1024
PARTS = "resources, scopes, metrics and data points"


def pieces_of(message: bytes, effort: Effort, level: Level = RESOURCE) -> Iterator[bytes]:
    """The message, or smaller ones with the same attributes and texts whose parts are the message's, in order.

    Raises TooManyError for more parts than there may be, and for a part that is large by itself.
    """
    if len(message) <= PIECE_BYTES:
        yield message
        return
    head, parts = _taken_apart(message, effort, level)
    piece, size = bytearray(head), 0
    for number, start, end in parts:
        for inner in pieces_of(message[start:end], effort, level.fields[number][1]):
            if size and size + len(inner) > PIECE_BYTES:
                yield bytes(piece)
                piece, size = bytearray(head), 0
            piece += field_of(number, inner)
            size += len(inner)
    yield bytes(piece)


def _taken_apart(message: bytes, effort: Effort, level: Level) -> tuple[bytes, list[tuple[int, int, int]]]:
    """What a message has besides its parts, and these: the field's number, and where they begin and end."""
    head, parts = bytearray(), list[tuple[int, int, int]]()
    place = 0
    for number, wire_type, start, end in effort.steps(read_fields(message, 0, len(message))):
        if number in level.fields and wire_type == BYTES:
            # A metric has one kind of data: the last one.
            if parts and level.has_one_kind and number != parts[-1][0]:
                parts.clear()
            parts.append((number, start, end))
            effort.check_number(len(parts), PARTS)
        else:
            head += message[place:end]
            if len(head) > PIECE_BYTES:
                raise TooManyError(
                    f"one resource, scope, metric or data point has at most {PIECE_BYTES} bytes of its own"
                )
        place = end
    return bytes(head), parts
