"""Jobs and their runs as panels. Pure."""

from collections.abc import Sequence

from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, Row, RowAction, Table, Tag
from fleetkeeper.console.lists.declaring import Column, ListPage, status_filter
from fleetkeeper.jobs.schemas import JobRead, RunRead
from fleetkeeper.jobs.service import LISTING
from fleetkeeper.jobs.status import OPEN, RUNS, RunState

HOME = "/jobs"
_WEEKDAYS = ("Sundays", "Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays")


def run_list(*, may_cancel: bool) -> ListPage[RunRead]:
    """Runs, newest first."""

    def actions(one: RunRead) -> tuple[RowAction, ...]:
        if not may_cancel or one.state not in OPEN or _is_stopping(one):
            return ()
        question = f"Cancel “{one.title}”? Work that is already done stays."
        return (RowAction("Cancel", f"{HOME}/runs/{one.id}/cancel", question),)

    return ListPage(
        path=HOME,
        title="Jobs",
        noun=("run", "runs"),
        listing=LISTING,
        search="Job or person",
        quick=(status_filter(RunState, "state"),),
        columns=(
            Column("job", "Job", lambda one: Cell(one.title, detail=one.key), sort="job"),
            Column("state", "Status", _state, sort="state"),
            Column("progress", "Progress", lambda one: Cell(progress_text(one), is_soft=True)),
            Column("requested_by", "Requested by", lambda one: Cell(one.requested_by), sort="requested_by"),
            Column(
                "requested_at",
                "Requested",
                lambda one: Cell(at=one.requested_at, kind="time"),
                sort="requested_at",
                falls_first=True,
            ),
            Column("finished_at", "Finished", _finished),
        ),
        actions=actions,
        export="/api/v1/jobs/runs/export",
        heading="Runs",
        text="What jobs did, newest first. Frequent maintenance appears only when it fails.",
        exports_columns=False,
        empty=Empty("No runs yet", "Scheduled jobs appear here after their first run."),
        refresh_seconds=2,
    )


def _finished(one: RunRead) -> Cell:
    return Cell(at=one.finished_at, kind="time") if one.finished_at else Cell("\N{EN DASH}", is_soft=True)


def _is_stopping(one: RunRead) -> bool:
    return one.state == RunState.RUNNING and one.cancel_requested_at is not None


def _state(one: RunRead) -> Cell:
    tag = Tag("cancelling" if _is_stopping(one) else one.state, RUNS.tones[one.state])
    return Cell(tags=(tag,), detail=one.error or one.reason)


def progress_text(one: RunRead) -> str:
    """How far a run is: its phase, with a share where the whole is known."""
    if not one.phase:
        return ""
    if one.total:
        return f"{one.phase}: {min(100, 100 * one.done // one.total)} %"
    return f"{one.phase}: {one.done:,}" if one.done else one.phase


def jobs_table(jobs: Sequence[JobRead], *, may_run: bool) -> Table:
    """What the worker does by itself, and what people may ask for."""
    return Table(
        "jobs",
        "Jobs",
        ("Job", "Schedule (UTC)", "Last run"),
        tuple(_job_row(one, may_run=may_run) for one in jobs),
        text="Frequent maintenance jobs are listed under Runs only when they fail.",
    )


def _job_row(one: JobRead, *, may_run: bool) -> Row:
    last = one.last_run
    run = RowAction("Run now", f"{HOME}/{one.name}/run", f"Run “{one.title}” now?", is_danger=False)
    tags = (Tag(last.state, RUNS.tones[last.state]),) if last else ()
    return Row(
        (
            Cell(one.title, detail=one.name),
            Cell(schedule_words(one.cron), is_soft=True),
            Cell(tags=tags, at=None),
        ),
        (run,) if may_run and one.manual_run else (),
    )


def schedule_words(cron: str) -> str:
    """A schedule as people say it; one of another kind as it is written."""
    if not cron:
        return "On request"
    minute, hour, _, _, weekday = cron.split()
    if minute == "*":
        return "Every minute"
    if minute.startswith("*/"):
        return f"Every {minute[2:]} minutes"
    if not cron.endswith(f"* * {weekday}") or not minute.isdigit():
        return cron
    if hour == "*":
        return f"Hourly at :{minute:0>2}"
    at = f"at {hour:0>2}:{minute:0>2}"
    return f"Daily {at}" if weekday == "*" else f"{_WEEKDAYS[int(weekday)]} {at}"
