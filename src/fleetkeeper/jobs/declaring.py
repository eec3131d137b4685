"""`@job` stands beside the work: its name, what people call it, and when it is due by itself."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.jobs.run import Run

Work = Callable[[Run], Awaitable[None]]
# Takes the key of a run that is cancelled before it began, in the transaction that cancels it.
Cancelled = Callable[[AsyncSession, str], Awaitable[None]]
MOST_ATTEMPTS = 5


@dataclass(frozen=True)
class Job:
    """One kind of work. `cron` is in UTC; a job without is only asked for."""

    name: str
    title: str
    work: Work = field(compare=False)
    cron: str = ""
    # Upkeep that comes every few minutes: its scheduled runs are kept only where they fail.
    is_quiet: bool = False
    # Whether people may ask for it at any time.
    manual_run: bool = False
    # Whether one that is due while another is at it in the same process is left out.
    is_alone: bool = False
    # What else ends when a run is cancelled before it began.
    on_cancel: Cancelled | None = field(default=None, compare=False)


JOBS: dict[str, Job] = {}


def job(
    name: str,
    title: str,
    *,
    cron: str = "",
    is_quiet: bool = False,
    manual_run: bool = False,
    is_alone: bool = False,
    on_cancel: Cancelled | None = None,
) -> Callable[[Work], Work]:
    """Declare a job. Raises ValueError for a name that another has."""

    def declare(work: Work) -> Work:
        if name in JOBS:
            raise ValueError(f"two jobs have the name {name}")
        JOBS[name] = Job(name, title, work, cron, is_quiet, manual_run, is_alone, on_cancel)
        return work

    return declare
