"""What the templates of alerts need."""

from dataclasses import dataclass
from uuid import UUID

from fleetkeeper.console.contexts.panels import Fragment, Table


@dataclass(frozen=True)
class FiringCount:
    """How many alerts fire that the reader may see."""

    number: int


@dataclass(frozen=True)
class AlertChart:
    """The metric of an alert, or the expression of its rule.

    Times are in seconds since 1970, and texts are empty where there is no such thing.
    """

    device_id: UUID | None
    metric: str
    aggregate: str
    labels_json: str
    start: str
    end: str
    # When it fired, as [from, to] each; without an end it still fires.
    spans_json: str
    threshold: str
    recovery: str = ""
    # The metric, where nothing else is said.
    title: str = ""
    # In PromQL; then there is no metric.
    query: str = ""


@dataclass(frozen=True)
class PreviewedRule:
    """What a rule would have fired."""

    summary: str
    detail: str
    chart: Fragment | None
    table: Table | None


@dataclass(frozen=True)
class CalendarEntry:
    """A silence on a day, with its hours on that day."""

    name: str
    href: str
    hours: str
    state: str


@dataclass(frozen=True)
class CalendarDay:
    """A day with what is on it; `more` are those that are not shown."""

    number: int
    title: str
    is_today: bool
    is_of_month: bool
    entries: tuple[CalendarEntry, ...]
    more: int
    # Where a silence for the day is made, for those who may.
    add_href: str


@dataclass(frozen=True)
class SilenceCalendar:
    """A month of silences."""

    title: str
    zone: str
    previous: str
    today: str
    following: str
    weeks: tuple[tuple[CalendarDay, ...], ...]
    is_empty: bool
    is_complete: bool
    add_href: str
    # Where the same month is in the browser's time zone, for readers whose account names none.
    zone_href: str


@dataclass(frozen=True)
class TimesRow:
    """One rule, severity, department or week; times in words and in seconds, -1 for none."""

    group: str
    alerts: int
    resolved: int
    acknowledge: str
    acknowledge_seconds: float
    resolve: str
    resolve_seconds: float


@dataclass(frozen=True)
class TimesTable:
    """The rows, what they are, and the slowest of each time for the length of the bars."""

    heading: str
    days: int
    rows: tuple[TimesRow, ...]
    slowest_acknowledge: float
    slowest_resolve: float
