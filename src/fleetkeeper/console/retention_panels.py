"""Policies, previews, runs and files of old telemetry as panels. Pure."""

from collections.abc import Sequence

from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import (
    Cell,
    EntryForm,
    Facts,
    Row,
    RowAction,
    Table,
    Tag,
)
from fleetkeeper.console.job_panels import progress_text
from fleetkeeper.console.lists.declaring import Column, ListPage
from fleetkeeper.console.panels import ANY_REASON
from fleetkeeper.console.policy_forms import HOME
from fleetkeeper.jobs.schemas import RunRead
from fleetkeeper.jobs.status import RUNS, RunState
from fleetkeeper.kit.sizes import size_text
from fleetkeeper.telemetry.archive.browsing import FILES
from fleetkeeper.telemetry.archive.schemas import (
    FileRead,
    Outcome,
    OutcomeLine,
    PolicyRead,
    StoreState,
)

_TIERS = {
    "chunks": "sealed samples in the database",
    "archive": "archived samples in files",
    "hour": "hourly rollups",
    "day": "daily rollups",
    "week": "weekly rollups",
    "month": "monthly rollups",
    "processes": "process lists",
    "states": "past states",
    "login_sessions": "ended login sessions",
}


def grouped(number: int) -> str:
    """12345 as 12 345."""
    return f"{number:,}".replace(",", "\u202f")


def store_panel(state: StoreState) -> Facts:
    """Where the archive is, and what it holds."""
    days = f"{state.first_day} to {state.last_day}" if state.files else "none yet"
    kind = "S3-like store" if state.store == "s3" else "Folder on this machine"
    condition = Tag("No damage known", "good")
    if state.problems:
        condition = Tag(f"{state.problems} damaged or missing", "bad")
    elif not state.files:
        condition = Tag("Empty")
    working = [Tag("A run is queued or running", "warning")] if state.is_running else []
    working += [Tag("Files are being checked", "warning")] if state.is_verifying else []
    return Facts(
        "store",
        "Archive",
        (
            ("Location", Cell(state.place, detail=kind)),
            ("Files", Cell(grouped(state.files), href=f"{HOME}/files" if state.files else "")),
            ("Samples", Cell(grouped(state.rows), detail=size_text(state.size_bytes))),
            ("Days", Cell(days)),
            ("Status", Cell(tags=(condition, *working))),
        ),
    )


def policies_table(policies: Sequence[PolicyRead], *, may_change: bool) -> Table:
    """All policies."""
    return Table(
        "policies",
        "Policies",
        (
            "Policy",
            "For",
            "Priority",
            "Archive after",
            "Delete raw after",
            "Keep only rollups after",
            "Keep rollups for",
        ),
        tuple(_policy_row(policy, may_change=may_change) for policy in policies),
        text="The policy with the highest priority applies. If priorities are equal, the more specific "
        "one applies, then the one of the nearer department.",
        empty="No policies yet, so everything is kept.",
    )


def _policy_row(policy: PolicyRead, *, may_change: bool) -> Row:
    named = [
        f"{label} {value}"
        for label, value in (
            ("metrics", policy.metric_group),
            ("type", policy.device_type),
            ("department", policy.department),
        )
        if value
    ]
    rollups = [
        f"{tier} {_age(days)}"
        for tier, days in (
            ("hours", policy.hour_rollup_days),
            ("days", policy.day_rollup_days),
            ("weeks", policy.week_rollup_days),
            ("months", policy.month_rollup_days),
        )
        if days is not None
    ]
    name = policy.name or f"Policy {policy.id}"
    actions: tuple[RowAction, ...] = ()
    if may_change and not policy.is_base:
        confirm = f"Delete the policy “{name}”? From the next run on, other policies apply to its data."
        actions = (RowAction("Delete", f"{HOME}/policies/{policy.id}/delete", confirm),)
    return Row(
        (
            Cell(name, href=f"{HOME}/policies/{policy.id}"),
            Cell(", ".join(named) or "everything else"),
            Cell(str(policy.priority), is_soft=not policy.priority),
            Cell(_age(policy.archive_after_days)),
            Cell(_age(policy.raw_days)),
            Cell(_age(policy.downsample_after_days)),
            Cell(", ".join(rollups) or "for ever"),
        ),
        actions,
    )


def _age(days: int | None) -> str:
    return "never" if days is None else "1 day" if days == 1 else f"{grouped(days)} days"


def outcome_table(outcome: Outcome, title: str, text: str, empty: str) -> Table:
    """What a run did or would do, by policy and tier."""
    rows = [_outcome_row(line) for line in outcome.lines]
    if outcome.dropped_months:
        cells = (
            Cell("All policies"),
            Cell("goes"),
            Cell("whole months: " + ", ".join(outcome.dropped_months)),
            *(Cell() for _ in range(2)),
            Cell(size_text(outcome.dropped_bytes)),
        )
        rows.append(Row(cells))
    if outcome.united_files:
        become = Tag("become larger ones", "good")
        files = Cell(f"small files: {grouped(outcome.united_files)}")
        rows.append(Row((Cell("All policies"), Cell(tags=(become,)), files, *(Cell() for _ in range(3)))))
    columns = ("Policy", "Action", "Tier", "Devices", "Samples", "Space freed")
    return Table("outcome", title, columns, tuple(rows), text=text, empty=empty)


def _outcome_row(line: OutcomeLine) -> Row:
    is_moved = line.action == "archive"
    return Row(
        (
            Cell(line.policy, href=f"{HOME}/policies/{line.policy_id}" if line.policy_id else ""),
            Cell(tags=(Tag("Archived", "good") if is_moved else Tag("Deleted", "bad"),)),
            Cell(_TIERS.get(line.tier, line.tier)),
            Cell(grouped(line.devices)),
            Cell(grouped(line.samples)),
            Cell(size_text(line.size_bytes), detail="in the database" if is_moved else ""),
        )
    )


def run_form(outcome: Outcome) -> EntryForm:
    """Lets a run begin, and says what follows."""
    gone = sum(line.samples for line in outcome.lines if line.action == "remove")
    freed = sum(line.size_bytes for line in outcome.lines) + outcome.dropped_bytes
    if gone:
        text = f"{grouped(gone)} samples are deleted permanently, and about {size_text(freed)} are freed."
    elif outcome.lines:
        text = f"Frees about {size_text(freed)}. No raw samples are lost."
    else:
        text = "Nothing is due."
    return EntryForm(
        "run",
        "Apply policies now",
        f"{HOME}/run",
        "Apply policies now",
        (ANY_REASON,),
        text=f"{text} Policies are also applied every night.",
        is_open=bool(outcome.lines),
        is_danger=bool(gone),
    )


def runs_table(runs: Sequence[RunRead]) -> Table:
    """The newest runs."""
    return Table(
        "runs",
        "Runs",
        ("Requested", "Requested by", "Status", "Archived and deleted", "Finished"),
        tuple(_run_row(run) for run in runs),
        text="Policies are applied every night. See Jobs for all runs, and to stop them.",
        empty="No runs yet. The first run is tonight, or when you apply the policies.",
    )


def _run_row(run: RunRead) -> Row:
    outcome = Outcome.model_validate(run.outcome)
    moved = sum(line.samples for line in outcome.lines if line.action == "archive")
    gone = sum(line.samples for line in outcome.lines if line.action == "remove")
    parts = [f"{grouped(moved)} samples to files"] if moved else []
    parts += [f"{grouped(gone)} samples deleted"] if gone else []
    if run.state == RunState.RUNNING:
        parts = [progress_text(run)]
    return Row(
        (
            Cell(at=run.requested_at, kind="time", href=""),
            Cell(run.requested_by),
            Cell(tags=(Tag(run.state, RUNS.tones[run.state]),)),
            Cell(", ".join(parts) or "nothing", detail=" ".join(outcome.errors[:3]) or run.error),
            Cell(at=run.finished_at, kind="time") if run.finished_at else Cell(),
        )
    )


def verify_form() -> EntryForm:
    """Lets all files be checked."""
    return EntryForm(
        "verify",
        "Check all files",
        f"{HOME}/verify",
        "Check all files",
        text="Compares each file with the hash stored when it was written. This also runs every week.",
    )


def _checked(one: FileRead) -> Cell:
    return Cell(tags=(Tag(one.problem, "bad"),)) if one.problem else Cell(at=one.checked_at, kind="time")


FILE_LIST: ListPage[FileRead] = ListPage(
    path=f"{HOME}/files",
    title="Archive files",
    noun=("file", "files"),
    listing=FILES,
    search="Part of a path, such as a day",
    columns=(
        Column("day", "Day", lambda one: Cell(str(one.day)), sort="day", falls_first=True),
        Column("path", "File", lambda one: Cell(one.path, detail=f"SHA-256 {one.sha256}"), sort="path"),
        Column("devices", "Devices", lambda one: Cell(grouped(one.devices))),
        Column("rows", "Samples", lambda one: Cell(grouped(one.rows)), sort="rows", falls_first=True),
        Column(
            "size_bytes", "Size", lambda one: Cell(size_text(one.size_bytes)), "size_bytes", falls_first=True
        ),
        Column("checked", "Checked", _checked),
    ),
    titles={"made_at": "Written"},
    empty=Empty(
        "No telemetry is archived yet", "Files appear here when samples reach the archive age of a policy."
    ),
)
