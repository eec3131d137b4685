"""Settings of PromQL: what one query may use, and what a query does not say."""

from pydantic import BaseModel, Field


class PromqlSettings(BaseModel):
    """Limits of the Prometheus API, and its defaults."""

    max_samples: int = Field(
        default=20_000_000,
        ge=1000,
        description="Samples that one PromQL query may read, and values that one step of its work may hold.",
    )
    max_series: int = Field(default=100_000, ge=10, description="Series that one selector may have.")
    max_points: int = Field(
        default=11_000, ge=10, description="Points that one series of a PromQL range query may have."
    )
    timeout_seconds: float = Field(
        default=60.0, gt=0, le=600, description="Longest time for one PromQL query (seconds)."
    )
    lookback_seconds: int = Field(
        default=300,
        ge=1,
        le=86_400,
        description="How old the newest sample of a series may be to still count as its value (seconds).",
    )
    subquery_step_seconds: int = Field(
        default=60, ge=1, le=86_400, description="Step of a subquery that names none (seconds)."
    )
    workers: int = Field(
        default=2,
        ge=1,
        le=32,
        description="PromQL queries that one web process has worked on at once, each in a process of its own.",
    )
    extra_workers: int = Field(
        default=2,
        ge=0,
        le=32,
        description="Further ones for users who have none at work yet while others take all.",
    )
    worker_memory_mb: int = Field(
        default=2048,
        ge=512,
        le=262_144,
        description="Address space of a process that evaluates PromQL (MiB). A query that needs more fails.",
    )
    worker_niceness: int = Field(
        default=5,
        ge=0,
        le=19,
        description="Niceness of those processes: how far they stand back behind ingest for processor time.",
    )
    max_waiting: int = Field(
        default=100,
        ge=1,
        le=10_000,
        description="PromQL queries that may wait for a process; further ones get 503.",
    )
    max_waiting_per_user: int = Field(
        default=20, ge=1, le=10_000, description="The same for one user, all sessions and tokens together."
    )
