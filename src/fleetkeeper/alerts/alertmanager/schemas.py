"""The shapes of Alertmanager's API (version 2)."""

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

MOST_AT_ONCE = 10_000


class _Shape(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class PostableAlert(_Shape):
    """An alert as Prometheus sends it."""

    labels: dict[str, str]
    annotations: dict[str, str] = {}
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    generator_url: str = Field(default="", alias="generatorURL", max_length=2000)


PostableAlerts = Annotated[list[PostableAlert], Field(max_length=MOST_AT_ONCE)]


class ReceiverName(_Shape):
    """A receiver."""

    name: str


class AlertState(_Shape):
    """Whether people are notified of an alert, and what prevents that."""

    state: str = Field(description="unprocessed, active or suppressed")
    silenced_by: list[str] = []
    inhibited_by: list[str] = []


class GettableAlert(_Shape):
    """An alert that is open."""

    labels: dict[str, str]
    annotations: dict[str, str]
    receivers: list[ReceiverName]
    fingerprint: str
    starts_at: str
    updated_at: str
    ends_at: str
    generator_url: str = Field(alias="generatorURL")
    status: AlertState


class GettableGroup(_Shape):
    """Alerts that people are notified of together."""

    labels: dict[str, str]
    receiver: ReceiverName
    alerts: list[GettableAlert]


class PostableSilence(_Shape):
    """A silence as amtool sends it; with an ID it changes that one."""

    id: str | None = None
    matchers: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=100)]
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    created_by: str = ""
    comment: Annotated[str, Field(max_length=2000)] = ""


class SilenceStatus(_Shape):
    """Whether a silence quiets now."""

    state: str = Field(description="expired, active or pending")


class GettableSilence(_Shape):
    """A silence."""

    id: str
    status: SilenceStatus
    matchers: list[dict[str, Any]]
    starts_at: str
    ends_at: str
    updated_at: str
    created_by: str
    comment: str


class SilenceId(_Shape):
    """The silence that was made or changed."""

    silence_id: str = Field(alias="silenceID")


class Status(_Shape):
    """What amtool shows of the server."""

    cluster: dict[str, Any]
    version_info: dict[str, str]
    config: dict[str, str]
    uptime: str
