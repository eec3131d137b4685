"""Reads the frames in a request's body: all at once where they are few and all fit, else one by one. Pure."""

import contextlib
from typing import NamedTuple, TypeVar
from uuid import UUID

import msgspec

from fleetkeeper.errors import BadRequestError, FieldError, TooLargeError
from fleetkeeper.kit.turns import Turns
from fleetkeeper.kit.wire import field_of, invalid_input
from fleetkeeper_protocol.messages import Frame, RejectedFrame

# Larger bodies are read frame by frame, so that others get their turn in between.
ALL_AT_ONCE_BYTES = 128 * 1024
# In still larger ones a frame that is no JSON object is no longer told from its neighbors: they are refused together.
ONLY_OBJECTS_FROM_BYTES = 1024 * 1024
# A frame with more commas is not looked into: its names and values are counted by them, and some names have a few.
MAX_COMMAS = 100_000
# As much of a frame that cannot be read is kept.
BEGINNING_BYTES = 300


class _Batch(msgspec.Struct):
    frames: list[Frame]
    batch_id: UUID | None = None


class _LooseBatch(msgspec.Struct):
    frames: list[msgspec.Raw]
    batch_id: UUID | None = None


class _Object(msgspec.Struct):
    """Anything that is an object."""


class _Objects(msgspec.Struct):
    frames: list[_Object]


class _RawFrame(msgspec.Struct):
    values: dict[str, msgspec.Raw]
    states: dict[str, msgspec.Raw] = msgspec.field(default_factory=dict)


class Unread(NamedTuple):
    """A frame that cannot be read: how many values it has, or 1 where that cannot be told, and how it begins."""

    problem: RejectedFrame
    samples: int
    beginning: str


_Read = TypeVar("_Read")
_batch_decoder = msgspec.json.Decoder(_Batch)
_loose_decoder = msgspec.json.Decoder(_LooseBatch)
_objects_decoder = msgspec.json.Decoder(_Objects)
_frame_decoder = msgspec.json.Decoder(Frame)


async def read_frames(body: bytes, most: int, turns: Turns) -> tuple[list[tuple[int, Frame]], list[Unread]]:
    """The frames with their places, and those that cannot be read.

    Raises BadRequestError, InvalidInputError, and TooLargeError for more than `most` frames before it looks into any.
    """
    if len(body) <= ALL_AT_ONCE_BYTES:
        with contextlib.suppress(msgspec.ValidationError):
            found = _read(body, _batch_decoder).frames
            _check_number(len(found), most)
            return list(enumerate(found)), []
    try:
        if len(body) > ONLY_OBJECTS_FROM_BYTES:
            _check_number(len(_read(body, _objects_decoder).frames), most)
        raws = _read(body, _loose_decoder).frames
    except msgspec.ValidationError as error:
        raise invalid_input(error) from None
    _check_number(len(raws), most)
    frames, unread = [], []
    for index, raw in enumerate(raws):
        await turns.give_way()
        if len(memoryview(raw)) > MAX_COMMAS and bytes(raw).count(b",") > MAX_COMMAS:
            unread.append(_too_large(index, raw))
            continue
        try:
            frames.append((index, _frame_decoder.decode(raw)))
        except msgspec.ValidationError as error:
            unread.append(_unread(index, raw, error))
    return frames, unread


def frame_field(index: int, name: str) -> str:
    """A field of a frame, as answers name it."""
    return f"frames[{index}].{name}" if name != "body" else f"frames[{index}]"


def _check_number(frames: int, most: int) -> None:
    if frames > most:
        raise TooLargeError(
            "Too many frames in one request.", fields=[FieldError("frames", f"has at most {most} items")]
        )


def _read(body: bytes, decoder: "msgspec.json.Decoder[_Read]") -> "_Read":
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequestError(
            "The body is not valid JSON.", fields=[FieldError("body", str(error))]
        ) from None


def _unread(index: int, raw: msgspec.Raw, error: msgspec.ValidationError) -> Unread:
    problem = field_of(error)
    name = problem.field if "[...]" not in problem.field else _key_at_fault(raw)
    return Unread(
        RejectedFrame(index, frame_field(index, name), problem.message), _values_in(raw), _beginning_of(raw)
    )


def _too_large(index: int, raw: msgspec.Raw) -> Unread:
    problem = RejectedFrame(index, frame_field(index, "values"), f"has more than {MAX_COMMAS} values")
    return Unread(problem, 1, _beginning_of(raw))


def _beginning_of(raw: msgspec.Raw) -> str:
    return bytes(memoryview(raw)[:BEGINNING_BYTES]).decode(errors="replace")


def _values_in(raw: msgspec.Raw) -> int:
    """How many values a frame has that cannot be read; 1 where that cannot be told."""
    try:
        return max(1, len(msgspec.json.decode(raw, type=_RawFrame).values))
    except msgspec.DecodeError:
        return 1


def _key_at_fault(raw: msgspec.Raw) -> str:
    """Which value of a frame is no number, or which state no text or truth value; the decoder does not say."""
    try:
        frame = msgspec.json.decode(raw, type=_RawFrame)
    except msgspec.DecodeError:
        return "values"
    for name, wanted, items in (("values", float, frame.values), ("states", str | bool, frame.states)):
        for key, value in items.items():
            try:
                msgspec.json.decode(value, type=wanted)
            except msgspec.ValidationError:
                return f"{name}.{key[:80]}"
    return "values"
