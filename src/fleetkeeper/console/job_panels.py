"""Jobs and their runs as panels. Pure."""

from collections.abc import Sequence

from fleetkeeper.console.contexts.panels import Cell, Row, RowAction, Table, Tag
from fleetkeeper.jobs.schemas import JobRead, RunPage, RunRead
from fleetkeeper.jobs.status import OPEN, RUNS, RunState

HOME = "/jobs"
_WEEKDAYS = ("Sundays", "Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays")


def runs_table(page: RunPage, *, may_cancel: bool, neighbours: tuple[str | None, str | None]) -> Table:
    """Runs, newest first; kept fresh while one of them is open."""
    return Table(
        "runs",
        "Runs",
        ("Job", "Status", "Progress", "Requested by", "Requested", "Finished"),
        tuple(_run_row(one, may_cancel=may_cancel) for one in page.results),
        empty="No runs yet. Scheduled jobs appear here after their first run.",
        count=page.count,
        previous_href=neighbours[0],
        next_href=neighbours[1],
        refresh_href=HOME if any(one.state in OPEN for one in page.results) else "",
    )


def _run_row(one: RunRead, *, may_cancel: bool) -> Row:
    is_stopping = one.state == RunState.RUNNING and one.cancel_requested_at is not None
    tag = Tag("cancelling" if is_stopping else one.state, RUNS.tones[one.state])
    detail = one.error or one.reason
    cancel = RowAction(
        "Cancel",
        f"{HOME}/runs/{one.id}/cancel",
        f"Cancel “{one.title}”? What it has done so far stays.",
    )
    return Row(
        (
            Cell(one.title, detail=one.key),
            Cell(tags=(tag,), detail=detail),
            Cell(progress_text(one), is_soft=True),
            Cell(one.requested_by),
            Cell(at=one.requested_at, kind="time"),
            Cell(at=one.finished_at, kind="time"),
        ),
        (cancel,) if may_cancel and one.state in OPEN and not is_stopping else (),
    )


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
        text="Frequent upkeep is listed under Runs only when it fails.",
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
        (run,) if may_run and one.may_be_asked_for else (),
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
