"""The forms of policies for old telemetry. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from fleetkeeper.console.contexts.panels import EntryForm, Option
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.panels import ANY_REASON, department_options
from fleetkeeper.identity.departments.schemas import DepartmentRead
from fleetkeeper.telemetry.archive.schemas import PolicyRead, PolicyWrite

HOME = "/settings/retention"
# What a policy is for; the one for everything else names nothing.
_SCOPES: dict[str, Widget | str] = {
    "metric_group": "Metrics",
    "device_type": "Device type",
    "department_id": Widget("Department", hint="Includes departments below it"),
}
_LIMITS: dict[str, Widget | str] = {
    "priority": Widget("Priority", hint="The highest applies", is_required=True),
    "raw_days": Widget("Delete raw samples after (days)", hint="In every tier. Empty: never"),
    "archive_after_days": Widget("Archive to files after (days)", hint="Stays readable. Empty: never"),
    "downsample_after_days": Widget(
        "Keep only rollups after (days)", hint="Deletes raw samples. Empty: never"
    ),
    "hour_rollup_days": Widget("Keep hourly rollups for (days)", hint="Empty: forever"),
    "day_rollup_days": Widget("Keep daily rollups for (days)", hint="Empty: forever"),
    "week_rollup_days": Widget("Keep weekly rollups for (days)", hint="Empty: forever"),
    "month_rollup_days": Widget("Keep monthly rollups for (days)", hint="Empty: forever"),
    "downsample_interval": Widget(
        "Downsample to one value per",
        hint="Such as 1 hour; from 1 day on, hourly rollups are deleted too",
        is_required=True,
    ),
}
_NAME = {"name": Widget("Name", is_required=True)}
NEW = Form(PolicyWrite, "new-policy", "Create policy", "Create policy", {**_NAME, **_SCOPES, **_LIMITS})
CHANGE = Form(
    PolicyWrite,
    "change-policy",
    "Edit policy",
    "Save changes",
    {**_NAME, **_SCOPES, **_LIMITS},
    text="Data older than the new limits is deleted at the next run. This cannot be undone.",
)


def policy_form(
    policy: PolicyRead | None,
    groups: Iterable[str],
    device_types: Iterable[str],
    departments: Sequence[DepartmentRead],
) -> EntryForm:
    """The form of a new policy, or of one that is there."""
    options = {
        "metric_group": _choices(groups, policy.metric_group if policy else None, "All metrics"),
        "device_type": _choices(device_types, policy.device_type if policy else None, "All types"),
        "department_id": department_options(departments, nothing="All departments"),
    }
    if policy is None:
        shown = NEW.shown(f"{HOME}/policies", options=options)
    else:
        only = tuple(_NAME | _LIMITS) if policy.is_base else ()
        action = f"{HOME}/policies/{policy.id}"
        shown = CHANGE.shown(action, policy, options=options, only=only, is_open=True)
    return replace(shown, entries=(*shown.entries, ANY_REASON))


def _choices(known: Iterable[str], present: str | None, nothing: str) -> list[Option]:
    values = sorted({*known, *([present] if present else [])})
    return [Option("", nothing), *(Option(one, one.replace("_", " ")) for one in values)]
