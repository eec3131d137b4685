"""The settings as forms: fields from the rooms' own schemas, so that bounds stand in one place. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from annotated_types import Ge, Le
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from fleetkeeper.config.schemas import AuditKeeping, ConfigValues, Features, Sampling
from fleetkeeper.console.contexts.settings import SettingsForm
from fleetkeeper.console.contexts.shell import FormField
from fleetkeeper.errors import FieldError


@dataclass(frozen=True)
class Group:
    """One form: its schema, its words, and names for the fields whose description is not one."""

    key: str
    title: str
    text: str
    schema: type[BaseModel]
    labels: Mapping[str, str]


GROUPS = {
    group.key: group
    for group in (
        Group(
            "sampling",
            "Sampling",
            "How often agents measure. A change reaches every agent with its next report.",
            Sampling,
            {
                "interval_seconds": "Snapshots every (seconds)",
                "process_interval_seconds": "Processes and sessions every (seconds)",
                "inventory_interval_seconds": "Inventory every (seconds)",
            },
        ),
        Group(
            "features",
            "Features",
            "What agents collect besides the basics, if the machine has it.",
            Features,
            {
                "perf_events_enabled": "Hardware counters",
                "gpu_enabled": "Graphics processors",
                "processes_enabled": "Processes",
                "process_arguments_enabled": "Arguments of processes",
                "sessions_enabled": "Login sessions",
                "network_file_systems_enabled": "Network file systems",
            },
        ),
        Group(
            "audit",
            "Audit log",
            "When a month of the log moves from the database to a file, and how long the file is kept.",
            AuditKeeping,
            {
                "archive_after_months": "Move to a file after (months)",
                "retention_months": "Keep for (months)",
            },
        ),
    )
}


def _bound(info: FieldInfo, kind: type, name: str) -> float | None:
    found = next((item for item in info.metadata if isinstance(item, kind)), None)
    return None if found is None else getattr(found, name)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _is_toggle(schema: type[BaseModel], name: str) -> bool:
    return bool in {schema.model_fields[name].annotation, *_members(schema.model_fields[name].annotation)}


def _members(annotation: Any) -> tuple[Any, ...]:
    members: tuple[Any, ...] = getattr(annotation, "__args__", ())
    return members


def _kind(schema: type[BaseModel], name: str) -> str:
    if _is_toggle(schema, name):
        return "toggle"
    annotation = schema.model_fields[name].annotation
    return "number" if {int, float} & {annotation, *_members(annotation)} else "text"


def _field(group: Group, name: str, value: Any, error: str) -> FormField:
    info = group.schema.model_fields[name]
    minimum, maximum = _bound(info, Ge, "ge"), _bound(info, Le, "le")
    kind = _kind(group.schema, name)
    bounds = "" if minimum is None or maximum is None else f"{minimum:g} to {maximum:g}"
    return FormField(
        name=f"{group.key}-{name}",
        label=group.labels.get(name, name.replace("_", " ")),
        value=_text(value),
        kind=kind,
        # The label says what a number is; its bounds are what the reader may want to know besides.
        hint=bounds if kind == "number" else (info.description or "").replace("`", ""),
        error=error,
        minimum=minimum,
        maximum=maximum,
        step="any" if float in {info.annotation, *_members(info.annotation)} else "1",
    )


def settings_form(
    key: str,
    values: Mapping[str, Any],
    *,
    errors: Iterable[FieldError] = (),
    message: str = "",
    is_saved: bool = False,
) -> SettingsForm:
    """One form with these values; `errors` name a field by its last part."""
    group = GROUPS[key]
    by_field = {error.field.rpartition(".")[2]: error.message for error in errors}
    return SettingsForm(
        key=key,
        title=group.title,
        text=group.text,
        fields=tuple(
            _field(group, name, values.get(name, ""), by_field.get(name, ""))
            for name in group.schema.model_fields
        ),
        message=message,
        is_saved=is_saved,
    )


def entered_values(key: str, form: Mapping[str, str]) -> dict[str, Any]:
    """What a form sent, by field; a switch that is off is not sent at all."""
    schema = GROUPS[key].schema
    return {
        name: f"{key}-{name}" in form if _is_toggle(schema, name) else form.get(f"{key}-{name}", "").strip()
        for name in schema.model_fields
    }


def all_forms(config: ConfigValues) -> tuple[SettingsForm, ...]:
    """Every form with the current values."""
    return (
        settings_form("sampling", config.sampling.model_dump()),
        settings_form("features", config.features.model_dump()),
        settings_form("audit", config.audit.model_dump()),
    )
