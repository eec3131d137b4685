"""What the API says of alert rules."""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from fleetkeeper.alerts.rules.conditions import Condition, Seconds
from fleetkeeper.alerts.rules.scopes import RuleScope
from fleetkeeper.alerts.status import Severity
from fleetkeeper.alerts.templates.errors import TemplateError
from fleetkeeper.alerts.templates.template import check
from fleetkeeper.identity.texts import Description, Name
from fleetkeeper.kit.pagination import PageOf
from fleetkeeper.kit.patterns import shaped
from fleetkeeper.kit.text import is_storable

_LABEL = shaped(r"^[A-Za-z_][A-Za-z0-9_]*$", "be a label's name: letters, digits and _")
_URL = shaped(r"^(https?://[^\s\x00]+)?$", "be an address such as https://wiki.example.com/disk")
LabelName = Annotated[str, Field(min_length=1, max_length=100, pattern=_LABEL)]
Template = Annotated[str, Field(max_length=4000, pattern=r"^[^\x00]*$")]
Templates = Annotated[dict[LabelName, Template], Field(max_length=30)]


class NoData(StrEnum):
    """What it means that there is no value."""

    OK = "ok"
    KEEP = "keep"
    ALERT = "alert"

    @property
    def label(self) -> str:
        """What people choose."""
        return {"ok": "Treat as OK", "keep": "Keep state", "alert": "Fire alert"}[self]


def _texts_of(value: Any) -> Iterator[str]:
    """All texts in a value of JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from (name, *_texts_of(one))
    elif isinstance(value, list):
        for one in value:
            yield from _texts_of(one)


class AlertRuleWrite(BaseModel):
    """What is entered of an alert rule."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    description: Description = Field(default="", description="What it means, and why it matters")
    enabled: bool = True
    condition: Condition
    severity: Severity = Severity.WARNING
    for_seconds: Seconds = Field(
        default=0, description="How long the condition must hold before the rule fires"
    )
    keep_firing_seconds: Seconds = Field(
        default=0, description="How long an alert fires on after the condition is no longer true"
    )
    interval_seconds: int = Field(default=60, ge=5, le=86_400, description="Time between evaluations")
    no_data: NoData = Field(
        default=NoData.OK, description="Without a value the rule is not true, stays as it is, or is true"
    )
    detects_flapping: bool = Field(
        default=True,
        description="An alert that fires three times within an hour fires on until it has been quiet for ten minutes",
    )
    quiets_device: bool = Field(
        default=False, description="While it fires, nobody is notified of other alerts of the same device"
    )
    labels: Templates = {}
    annotations: Templates = Field(
        default={},
        description="Texts, such as `summary`; `{{ $labels.instance }}` and `{{ $value }}` are filled in",
    )
    runbook_url: str = Field(default="", max_length=2000, pattern=_URL)
    scope: RuleScope = RuleScope()
    department_id: UUID | None = Field(
        default=None,
        description="Whose rule it is: it sees that department's devices; null: the whole installation",
    )

    @field_validator("labels", "annotations")
    @classmethod
    def _check_templates(cls, texts: dict[str, str]) -> dict[str, str]:
        for name, text in texts.items():
            try:
                check(text)
            except TemplateError as error:
                raise ValueError(f"{name}: {error}") from None
        return texts

    @model_validator(mode="after")
    def _check_texts(self) -> "AlertRuleWrite":
        """No text of the database holds a NUL."""
        for name, value in self.model_dump(mode="json").items():
            if not all(map(is_storable, _texts_of(value))):
                raise ValueError(f"{name}: has a character that cannot be stored")
        return self


class AlertRuleRead(AlertRuleWrite):
    """An alert rule."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    interval_seconds: int
    origin: str = Field(description="builtin, person or file")
    origin_key: str | None = Field(
        default=None, description="Of a rule of a file: file/group/position; of a built-in rule: its key"
    )
    version: int
    created_at: datetime
    updated_at: datetime

    @field_validator("labels", "annotations")
    @classmethod
    def _check_templates(cls, texts: dict[str, str]) -> dict[str, str]:
        """What is stored was checked as it was entered."""
        return texts

    @model_validator(mode="after")
    def _check_texts(self) -> "AlertRuleRead":
        """What is stored can be stored."""
        return self


class AlertRulePage(PageOf[AlertRuleRead]):
    """One page of alert rules."""
