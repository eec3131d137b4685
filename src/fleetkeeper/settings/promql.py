"""Settings of PromQL: what one query may use, and what a query does not say."""

from pydantic import BaseModel, Field


class PromqlSettings(BaseModel):
    """Limits of the Prometheus API, and its defaults."""

    max_samples: int = Field(
        default=20_000_000,
        ge=1000,
        description="Samples that one PromQL query may read, and values that one step of its evaluation may hold.",
    )
    max_series: int = Field(default=100_000, ge=10, description="Series that one selector may have.")
    max_points: int = Field(
        default=11_000, ge=10, description="Points that one series of a PromQL range query may have."
    )
    timeout_seconds: float = Field(
        default=60.0, gt=0, le=600, description="Timeout of one PromQL query (seconds)."
    )
    lookback_seconds: int = Field(
        default=300,
        ge=1,
        le=86_400,
        description="Maximum age of the newest sample of a series for it to count as the current value (seconds).",
    )
    subquery_step_seconds: int = Field(
        default=60, ge=1, le=86_400, description="Step of a subquery without a step (seconds)."
    )
    workers: int = Field(
        default=2,
        ge=1,
        le=32,
        description="PromQL queries that run at the same time per web process, each in its own process.",
    )
    extra_workers: int = Field(
        default=2,
        ge=0,
        le=32,
        description="Additional queries for users who have none running while others use all of these.",
    )
    worker_memory_mb: int = Field(
        default=2048,
        ge=512,
        le=262_144,
        description="Memory (address space) of a process that evaluates PromQL (MiB). A query that needs more fails.",
    )
    worker_niceness: int = Field(
        default=5,
        ge=0,
        le=19,
        description="Niceness of these processes, so that ingest gets processor time first.",
    )
    max_waiting: int = Field(
        default=100,
        ge=1,
        le=10_000,
        description="PromQL queries that may wait for a process; further ones get 503.",
    )
    max_waiting_per_user: int = Field(
        default=20,
        ge=1,
        le=10_000,
        description="PromQL queries of one user that may wait, over all sessions and tokens.",
    )
