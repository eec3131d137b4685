"""Why samples are refused: the one list that counters, answers and pages use. Pure."""

from enum import StrEnum
from typing import Self


class Reason(StrEnum):
    """A reason as counters spell it, `sentence` as people read it, and `cure` as what they can do about it."""

    sentence: str
    cure: str

    def __new__(cls, value: str, sentence: str, cure: str) -> Self:
        """A member has its texts beside its value."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.sentence, member.cure = sentence, cure
        return member

    # Where it belongs.
    NO_HOST = (
        "no_host",
        "no rule finds a host in the labels; see Integrations for what they look at",
        "Add a rule for a label that names the host, or let the sender add such a label.",
    )
    UNKNOWN_HOST = (
        "unknown_host",
        "the host is unknown, or this credential may not write for it",
        "Add the host under Integrations, use a token of its department, or use a token with devices:create.",
    )
    FOREIGN_HOST = (
        "foreign_host",
        "a device's key writes for its own device only",
        "Send with an API token, or remove the label that names the other device.",
    )
    BAD_HOST = (
        "bad_host",
        "the host name cannot be the name of a device",
        "Correct the host name, or the rule that finds it: at most 255 characters, no spaces around it.",
    )
    # What it is called.
    BAD_NAME = (
        "bad_name",
        "the metric has no name, or one that is too long or has control characters",
        "Rename the metric where it is made: 1 to 200 characters.",
    )
    BAD_LABEL = (
        "bad_label",
        "a label's name is empty, too long or given twice, or its value has a NUL",
        "Correct or drop the label where it is made, for example by relabeling.",
    )
    LABEL_TOO_LONG = (
        "label_too_long",
        "a label's value is too long",
        "Shorten the value or drop the label: at most 300 characters are stored.",
    )
    TOO_MANY_LABELS = (
        "too_many_labels",
        "the series has too many labels",
        "Drop labels: a series has at most 100.",
    )
    TOO_LONG = (
        "too_long",
        "the metric's name with its labels is too long",
        "Drop or shorten labels: name and labels have at most 1,000 characters together.",
    )
    NOT_UTF8 = "not_utf8", "a text is not UTF-8", "Send names and labels as UTF-8."
    COLLISION = (
        "collision",
        "another series of the request has the same name, labels and time here; give them labels that differ",
        "Add a label that tells the series apart.",
    )
    # When it was.
    TIME = (
        "time",
        "the time is older than the server accepts, or lies in the future",
        "Set the clock of the machine. For old data, raise FLEETKEEPER_TELEMETRY__MAX_AGE_DAYS.",
    )
    NO_TIME = "no_time", "a data point has no time", "Let the sender set the time of each data point."
    # What it says.
    NO_DATA = (
        "no_data",
        "a metric has no data of a known kind",
        "Update the sender, or leave the metric out.",
    )
    BAD_POINT = (
        "bad_point",
        "a sample or data point is not what its protocol says",
        "Update the sender, and compare the example with what the protocol says.",
    )
    INVALID_LINE = "invalid_line", "a line cannot be read", "Correct the line where it is made."
    NATIVE_HISTOGRAM = (
        "native_histogram",
        "native histograms are not stored",
        "Set send_native_histograms: false under remote_write, and scrape classic histograms.",
    )
    TEXT_FIELD = (
        "text_field",
        "text fields are not stored",
        "Nothing to do: numbers of the same line are stored. Exclude the field to stop sending it.",
    )
    NOTIFICATION = (
        "notification",
        "notifications are not stored",
        "Nothing to do: values are stored. Set Notifications false under write_http to stop sending them.",
    )
    NO_VALUE = "no_value", "a value is null", "Nothing to do: collectd sends null where it knows no value."
    UNREADABLE = (
        "unreadable",
        "a frame cannot be read",
        "Update the agent, or compare the frame with the description of the API.",
    )
    VALUES = (
        "values",
        "a frame has too many values, or none",
        "Send fewer values in a frame, or raise FLEETKEEPER_TELEMETRY__MAX_VALUES_PER_FRAME.",
    )
    STATES = (
        "states",
        "a state cannot be stored, or the device has states under as many names as it may have",
        "Send texts of at most 200 printable characters and truth values, under names that stay the same.",
    )
    REQUEST = (
        "request",
        "a whole request cannot be read",
        "Check the sender's format, encoding and version, and send less at once if it is too large.",
    )
    # What the device may have.
    CHANNEL_LIMIT = (
        "channel_limit",
        "the device has as many channels as it may have",
        "Drop the label with the most values, or raise FLEETKEEPER_TELEMETRY__MAX_CHANNELS_PER_DEVICE.",
    )
    CHANNEL = (
        "channel",
        "the channel cannot be stored",
        "Correct the metric's name or labels where they are made.",
    )

    @property
    def is_quiet(self) -> bool:
        """Whether senders send it beside numbers all the time: it is counted, and no fault of the request."""
        return self in _QUIET

    @classmethod
    def named(cls, value: str) -> Self | None:
        """The reason with that spelling; None for one that another version of the product knew."""
        return next((reason for reason in cls if reason == value), None)


_QUIET = frozenset({Reason.TEXT_FIELD, Reason.NOTIFICATION, Reason.NO_VALUE})
