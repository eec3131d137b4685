"""What the API says of jobs and their runs."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from fleetkeeper.jobs.status import RunState
from fleetkeeper.kit.pagination import PageOf


class RunRead(BaseModel):
    """One run of a job."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    job: str = Field(description="The job's name, as `room.verb`")
    title: str = Field(default="", description="What people call the job")
    key: str = Field(description="What it is for, where a job works on one thing of many")
    state: RunState
    phase: str = Field(description="What it does at the moment")
    done: int = Field(description="How much of the phase is done")
    total: int | None = Field(description="How much there is to do in the phase; null where that is unknown")
    outcome: dict[str, Any]
    error: str = Field(description="Why it failed, or why it is tried again")
    requested_by: str
    reason: str
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    cancel_requested_at: datetime | None
    attempts: int


class RunPage(PageOf[RunRead]):
    """One page of runs."""


class JobRead(BaseModel):
    """A declared job."""

    name: str
    title: str
    cron: str = Field(description="When it runs by itself (UTC); empty where it is only asked for")
    manual_run: bool
    waiting: int = Field(description="Runs that wait")
    last_run: RunRead | None


class RunAsked(BaseModel):
    """A run that waits now."""

    id: UUID
    is_new: bool = Field(description="False where the same waited already")
