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
    threads: int = Field(
        default=2,
        ge=1,
        le=32,
        description="PromQL queries that one web process works on at once; others wait.",
    )
