"""Space, health and channels as panels. Pure."""

from collections import Counter
from datetime import UTC, datetime, time

from fleetkeeper.console.contexts.panels import Cell, Facts, Row, Table, Tag
from fleetkeeper.console.contexts.space import Chart
from fleetkeeper.console.panels import with_query
from fleetkeeper.console.retention_panels import grouped
from fleetkeeper.console.sender_forms import REFUSED
from fleetkeeper.console.space_charts import stacked_chart
from fleetkeeper.jobs.status import RUNS
from fleetkeeper.kit.sizes import size_text
from fleetkeeper.telemetry.reasons import Reason
from fleetkeeper.telemetry.space.schemas import (
    Arrival,
    Backlog,
    Cardinality,
    Health,
    History,
    Offender,
    SpaceRead,
)

HOME = "/telemetry/space"
DEVICES = f"{HOME}/devices"
TIERS = {
    "hot": ("Hot", "frames of the last hours, as they arrived"),
    "sealed": ("Sealed", "compressed chunks"),
    "rollups": ("Rollups", "summaries by hour, day, week and month"),
    "archive": ("Archive", "Parquet files"),
}
_NOT_MEASURED = "Not measured yet. Totals are updated hourly."
_OUTCOMES = {"accepted": "good", "duplicate": "", "rejected": "bad", "refused": "bad"}
_OUTCOME_TEXTS = {
    "accepted": "stored",
    "duplicate": "duplicate",
    "rejected": "refused",
    "refused": "request refused",
}
_REASONS = {reason.value: reason.sentence for reason in Reason}
_REFUSALS = {
    "unreadable": "not readable",
    "unauthorized": "key or token unknown",
    "overload": "too many at once; the source sends them again",
    "unavailable": "the database was unavailable; the source sends them again",
    "too large": "request too large",
}


def _reason_text(one: Arrival) -> str:
    texts = _REFUSALS if one.outcome == "refused" else _REASONS
    return texts.get(one.reason, one.reason.replace("_", " "))


def _examples_of(one: Arrival) -> str:
    """Where examples of refused samples are."""
    return with_query(REFUSED, q=one.reason) if one.outcome == "rejected" else ""


def summary_facts(space: SpaceRead) -> Facts:
    """Everything in a few figures."""
    ratio = space.compression_ratio
    return Facts(
        "summary",
        "Total",
        (
            ("Size", Cell(size_text(space.size_bytes) if space.tiers else "")),
            ("Samples", _samples(space)),
            (
                "Compression",
                Cell(
                    f"{ratio:.1f} times smaller" if ratio else "",
                    detail="sealed samples against hot ones"
                    if ratio
                    else "Shown when there are hot and sealed samples",
                ),
            ),
        ),
    )


def _samples(space: SpaceRead) -> Cell:
    """All that is stored: what was measured, and what has arrived since."""
    stored = space.samples + space.arrived_since
    if not space.tiers and not stored:
        return Cell()
    since = f", {grouped(space.arrived_since)} of them since the measurement" if space.arrived_since else ""
    return Cell(grouped(stored), detail=f"hot, sealed and archived{since}")


def _measured(samples: int, space: SpaceRead) -> Cell:
    """Samples of a measurement that found none although there are some by now are not known."""
    return Cell("" if not samples and not space.samples and space.arrived_since else grouped(samples))


def tiers_table(space: SpaceRead) -> Table:
    """What each tier takes."""
    rows = [
        Row(
            (
                Cell(TIERS[one.tier][0], detail=TIERS[one.tier][1]),
                _measured(one.samples, space),
                Cell(size_text(one.size_bytes)),
                Cell(_share(one.size_bytes, space.size_bytes)),
                Cell(_per_sample(one.bytes_per_sample)),
            )
        )
        for one in space.tiers
    ]
    if rows:
        all_of_it = (Cell("All"), _measured(space.samples, space), Cell(size_text(space.size_bytes)))
        rows.append(Row((*all_of_it, Cell("100 %"), Cell())))
    return Table(
        "tiers",
        "Tiers",
        ("Tier", "Samples", "Size", "Share", "Bytes per sample"),
        tuple(rows),
        text="As measured. Sizes are reported by PostgreSQL and the archive, including indexes and empty pages. "
        "Rollups count summaries, which are not part of the total.",
        empty=_NOT_MEASURED,
    )


def groups_table(space: SpaceRead) -> Table:
    """What each metric group takes. Tables without a sample belong to none, and have a row of their own."""
    shared = {tier for one in space.groups for tier in one.tiers}
    rows = [
        Row(
            (
                Cell(one.metric_type),
                Cell(grouped(one.samples), is_soft=not one.samples),
                Cell(size_text(one.size_bytes)),
                Cell(_share(one.size_bytes, space.size_bytes)),
                *(Cell(size_text(one.tiers[tier].size_bytes) if tier in one.tiers else "") for tier in TIERS),
            )
        )
        for one in space.groups
    ]
    sizes: dict[str, int] = {one.tier: one.size_bytes for one in space.tiers}
    if space.unshared_bytes:
        unshared = (
            Cell(size_text(sizes[tier]) if sizes.get(tier) and tier not in shared else "") for tier in TIERS
        )
        size = Cell(size_text(space.unshared_bytes))
        share = Cell(_share(space.unshared_bytes, space.size_bytes))
        rows.append(Row((Cell("Empty tables", is_soft=True), Cell(), size, share, *unshared)))
    if rows:
        in_all = (Cell(size_text(sizes[tier]) if tier in sizes else "") for tier in TIERS)
        size, share = Cell(size_text(space.size_bytes)), Cell("100 %")
        rows.append(Row((Cell("All"), Cell(grouped(space.samples)), size, share, *in_all)))
    return Table(
        "groups",
        "Metric groups",
        ("Group", "Samples", "Size", "Share", *(title for title, _ in TIERS.values())),
        tuple(rows),
        text="As measured. A retention policy can apply to a group.",
        empty=_NOT_MEASURED,
    )


def growth_chart(history: History) -> Chart:
    """Bytes of each tier over the days."""
    points = history.results
    series = {title: [float(one.tiers.get(tier, 0)) for one in points] for tier, (title, _) in TIERS.items()}
    return stacked_chart(
        "growth",
        "Growth",
        "Size of all tiers in the last 30 days.",
        [one.at for one in points],
        series,
        lambda value: size_text(round(value)),
        "Not enough measurements yet. The chart starts with the second one.",
    )


def rate_chart(health: Health) -> Chart:
    """Samples stored per second over the last day."""
    rates = health.rates if any(one.samples_per_second for one in health.rates) else []
    return stacked_chart(
        "rate",
        "Samples per second",
        "Stored in the last 24 hours, 5-minute average.",
        [one.at for one in rates],
        {"Stored": [one.samples_per_second for one in rates]},
        rate_text,
        "No samples in the last 24 hours.",
    )


def health_facts(health: Health) -> Facts:
    """Whether the work keeps up."""
    run = health.archive_run
    lost = health.dropped_by_agents
    return Facts(
        "health",
        "Ingest health",
        (
            ("Ingest rate", Cell(f"{rate_text(health.samples_per_second)} samples/s")),
            ("Sealing", _backlog(health.sealing, "device due", "devices due")),
            ("Oldest frame due", _oldest(health.sealing)),
            ("Rollups", _backlog(health.rollups, "changed day waiting", "changed days waiting")),
            ("Oldest changed day", _oldest(health.rollups)),
            ("Merging", _backlog(health.merging, "day waiting", "days waiting")),
            (
                "Last retention run",
                Cell(tags=(Tag(run.state, RUNS.tones[run.state]),), detail=run.error)
                if run
                else Cell("none yet"),
            ),
            (
                "Dropped by agents",
                Cell(
                    f"{grouped(lost)} frames" if lost else "none",
                    detail="their spools were full while the server was unreachable" if lost else "",
                ),
            ),
        ),
    )


def _backlog(backlog: Backlog, one: str, many: str) -> Cell:
    if not backlog.waiting:
        return Cell(tags=(Tag("Up to date", "good"),))
    return Cell(f"{grouped(backlog.waiting)} {one if backlog.waiting == 1 else many}")


def _oldest(backlog: Backlog) -> Cell:
    return Cell(at=backlog.oldest, kind="time") if backlog.oldest else Cell()


def arrivals_table(health: Health) -> Table:
    """What became of what arrived, by protocol and reason."""
    totals: Counter[str] = Counter()
    for one in health.arrived:
        if one.outcome != "refused":
            totals[one.protocol] += one.number
    rows = (
        Row(
            (
                Cell(one.protocol),
                Cell(tags=(Tag(_OUTCOME_TEXTS[one.outcome], _OUTCOMES[one.outcome]),)),
                Cell(_reason_text(one), href=_examples_of(one)),
                Cell(f"{grouped(one.number)} {'requests' if one.outcome == 'refused' else 'samples'}"),
                Cell(_share(one.number, totals[one.protocol]) if one.outcome != "refused" else ""),
            )
        )
        for one in health.arrived
    )
    return Table(
        "arrivals",
        "Received",
        ("Protocol", "Outcome", "Reason", "Amount", "Share of protocol"),
        tuple(rows),
        text="In the last 24 hours, live.",
        empty="No samples in the last 24 hours.",
    )


def cardinality_facts(found: Cardinality) -> Facts:
    """How many channels there are, and the limit that protects the rest."""
    near = found.devices_near_limit
    today = found.new_channels[-1].channels
    week = sum(day.channels for day in found.new_channels[-7:])
    return Facts(
        "channels",
        "Channels",
        (
            (
                "Total",
                Cell(f"{grouped(found.channels)} channels", detail=f"of {grouped(found.metrics)} metrics"),
            ),
            ("New today", Cell(grouped(today), detail=f"{grouped(week)} in seven days (UTC)")),
            (
                "Limit per device",
                Cell(
                    f"{grouped(found.max_channels_per_device)} channels",
                    detail="Further channels of the device are refused. To change the limit, set "
                    "FLEETKEEPER_TELEMETRY__MAX_CHANNELS_PER_DEVICE and restart.",
                ),
            ),
            (
                "Near the limit",
                Cell(tags=(Tag(f"{grouped(near)} of 80 % or more", "bad" if near else "good"),)),
            ),
        ),
    )


def new_channels_chart(found: Cardinality) -> Chart:
    """New channels of each day."""
    days = found.new_channels if any(day.channels for day in found.new_channels) else []
    return stacked_chart(
        "new-channels",
        "New channels per day",
        "In the last 14 days (UTC). A rise means new devices, or a label with too many values.",
        [datetime.combine(day.day, time(), UTC) for day in days],
        {"New": [float(day.channels) for day in days]},
        lambda value: grouped(round(value)),
        "No new channels in the last 14 days.",
    )


def offenders_table(found: Cardinality) -> Table:
    """Devices with the most channels, and the labels that make them."""
    return Table(
        "offenders",
        "Devices with the most channels",
        ("Device", "Channels", "Share of the limit", "Labels with the most values"),
        tuple(_offender_row(one) for one in found.offenders),
        text="Each value of a label creates a channel, so labels with paths or addresses create many.",
        empty=_NOT_MEASURED,
    )


def _offender_row(one: Offender) -> Row:
    labels = ", ".join(f"{label.label} ({grouped(label.values)})" for label in one.labels)
    return Row(
        (
            Cell(one.name, href=f"/devices/{one.device}"),
            Cell(grouped(one.channels)),
            Cell(f"{100 * one.share_of_limit:.1f} %"),
            Cell(labels),
        )
    )


def rate_text(value: float) -> str:
    """A rate for people."""
    return grouped(round(value)) if value >= 100 or value == 0 else f"{value:.1f}"


def _per_sample(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else ""
