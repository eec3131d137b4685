"""Overrides of a rule: as a tab of its page, on a device's page, and on an alert's."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.overrides import service
from fleetkeeper.alerts.overrides.schemas import AlertOverrideRead, AlertOverrideWrite
from fleetkeeper.alerts.overrides.service import override_words
from fleetkeeper.alerts.rules.schemas import AlertRuleRead
from fleetkeeper.alerts.status import Severity
from fleetkeeper.annotations.tags.service import all_tags
from fleetkeeper.console.contexts.panels import Cell, EntryForm, Facts, Option, Row, RowAction, Table
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.forms.schema_fields import words_of
from fleetkeeper.console.panels import model_of
from fleetkeeper.devices.finding import find_device
from fleetkeeper.identity.actor import Actor

RULES = "/alerts/rules"
_SHOWN = "100"


class OverrideEntry(BaseModel):
    """An override, field by field."""

    model_config = ConfigDict(extra="forbid")

    device: str = Field(default="", max_length=300)
    tag_id: UUID | None = None
    threshold: float | None = None
    recovery: float | None = None
    for_seconds: Annotated[int, Field(ge=0, le=31_536_000)] | None = None
    severity: Severity | None = None
    enabled: bool = True


FORM = Form(
    OverrideEntry,
    "override",
    "Add override",
    "Save override",
    {
        "device": Widget(
            "Device", "Type a part of its name", is_required=False, suggestions="/suggestions/devices"
        ),
        "tag_id": Widget("Tag", "Or all devices with a tag; a device's own override wins", is_required=False),
        "threshold": Widget("Threshold", "Empty: as the rule", is_required=False),
        "recovery": Widget(
            "Recovery threshold", "Empty: as far from the threshold as the rule's", is_required=False
        ),
        "for_seconds": Widget("Pending period", "Empty: as the rule", kind="duration", is_required=False),
        "severity": Widget("Severity", is_required=False),
        "enabled": Widget("Enabled", "Off: the rule does not apply there"),
    },
    text="What is empty stays as the rule has it. An override that exists for the device or tag is replaced.",
)


async def override_form(session: AsyncSession, rule: AlertRuleRead) -> EntryForm:
    """The form that adds or replaces one."""
    tags = [Option(str(one.id), one.name) for one in await all_tags(session)]
    severities = [Option(one, words_of(one)) for one in Severity]
    options = {
        "tag_id": [Option("", "None"), *tags],
        "severity": [Option("", "As the rule"), *severities],
    }
    return FORM.shown(f"{RULES}/{rule.id}/overrides", options=options)


async def wanted_of(session: AsyncSession, actor: Actor, entry: OverrideEntry) -> AlertOverrideWrite:
    """What the API is asked for. Raises InvalidInputError."""
    values = entry.model_dump(exclude={"device"})
    values["device_id"] = await find_device(session, actor, entry.device) if entry.device else None
    return model_of(AlertOverrideWrite, values)


async def overrides_table(
    session: AsyncSession, actor: Actor, rule: AlertRuleRead, *, may_write: bool
) -> Table:
    """A rule's overrides."""
    found = await service.list_overrides(session, actor, rule.id, [("limit", _SHOWN)])
    rest = found.count - len(found.results)
    return Table(
        "overrides",
        "Overrides",
        ("Applies to", "Instead of the rule"),
        tuple(_row(rule, one, may_write=may_write) for one in found.results),
        text=f"{rest:,} more by the API." if rest else "",
        empty="No overrides yet. An override changes this rule for one device or for devices with a tag.",
        count=found.count,
    )


def _row(rule: AlertRuleRead, one: AlertOverrideRead, *, may_write: bool) -> Row:
    if one.device_id is not None:
        whom = Cell(one.device_name or str(one.device_id), f"/devices/{one.device_id}")
    else:
        whom = Cell(f"Tag {one.tag_name}")
    what = override_words(rule, one)
    remove = RowAction(
        "Remove",
        f"{RULES}/{rule.id}/overrides/{one.id}/delete",
        f"Remove this override? {rule.name} applies there as it is.",
    )
    return Row((whom, Cell(what[:1].upper() + what[1:])), (remove,) if may_write else ())


async def device_overrides(session: AsyncSession, actor: Actor, device_id: UUID) -> Facts | None:
    """What applies to a device instead of what its rules say; none where there is nothing."""
    found = await service.effective_on(session, actor, device_id)
    if not found:
        return None
    facts = tuple(
        (rule.name, Cell(override_words(rule, one), f"{RULES}/{rule.id}?tab=overrides"))
        for rule, one in found
    )
    return Facts("overrides", "Overrides of alert rules", facts)


async def deciding_override(
    session: AsyncSession, actor: Actor, device_id: UUID | None, rule_id: UUID | None
) -> Cell:
    """What is different from a rule on an alert's device; an empty cell where nothing is."""
    if device_id is None or rule_id is None:
        return Cell()
    for rule, one in await service.effective_on(session, actor, device_id):
        if rule.id == rule_id:
            return Cell(override_words(rule, one), f"{RULES}/{rule.id}?tab=overrides")
    return Cell()
