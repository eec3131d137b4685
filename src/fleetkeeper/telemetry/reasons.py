"""Why samples are refused: the one list that counters, answers and pages use. Pure."""

from enum import StrEnum
from typing import Self


class Reason(StrEnum):
    """A reason as counters spell it, and `sentence` as people read it."""

    sentence: str

    def __new__(cls, value: str, sentence: str) -> Self:
        """A member has a sentence beside its value."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.sentence = sentence
        return member

    # Where it belongs.
    NO_HOST = "no_host", "no rule finds a host in the labels; see Senders for what they look at"
    UNKNOWN_HOST = "unknown_host", "there is no such device that this credential may write for"
    FOREIGN_HOST = "foreign_host", "a device's key writes for its own device only"
    BAD_HOST = "bad_host", "the host name cannot be the name of a device"
    # What it is called.
    BAD_NAME = "bad_name", "the metric has no name, or one that is too long or has control characters"
    BAD_LABEL = "bad_label", "a label's name is empty, too long or given twice, or its value has a NUL"
    LABEL_TOO_LONG = "label_too_long", "a label's value is too long"
    TOO_MANY_LABELS = "too_many_labels", "the series has too many labels"
    TOO_LONG = "too_long", "the metric's name with its labels is too long"
    NOT_UTF8 = "not_utf8", "a text is not UTF-8"
    COLLISION = (
        "collision",
        "another series of the request has the same name, labels and time here; give them labels that differ",
    )
    # When it was.
    TIME = "time", "the time is older than the server accepts, or lies in the future"
    NO_TIME = "no_time", "a data point has no time"
    # What it says.
    NO_DATA = "no_data", "a metric has no data of a known kind"
    BAD_POINT = "bad_point", "a sample or data point is not what its protocol says"
    INVALID_LINE = "invalid_line", "a line cannot be read"
    NATIVE_HISTOGRAM = "native_histogram", "native histograms are not stored"
    TEXT_FIELD = "text_field", "text fields are not stored"
    NOTIFICATION = "notification", "notifications are not stored"
    NO_VALUE = "no_value", "a value is null"
    UNREADABLE = "unreadable", "a frame cannot be read"
    VALUES = "values", "a frame has too many values, or none"
    # What the device may have.
    CHANNEL_LIMIT = "channel_limit", "the device has as many channels as it may have"
    CHANNEL = "channel", "the channel cannot be stored"

    @property
    def is_quiet(self) -> bool:
        """Whether senders send it beside numbers all the time: it is counted, and no fault of the request."""
        return self in _QUIET


_QUIET = frozenset({Reason.TEXT_FIELD, Reason.NOTIFICATION, Reason.NO_VALUE})
