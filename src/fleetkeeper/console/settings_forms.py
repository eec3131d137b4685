"""The settings as forms, one for each key of `config`. Pure."""

from collections.abc import Mapping
from typing import Any

from fleetkeeper.config.schemas import (
    AlertKeeping,
    AuditKeeping,
    DeviceRequests,
    Features,
    Replenishment,
    Sampling,
)
from fleetkeeper.console.forms.form import Form, Widget

SAVE = "Save changes"


def _numbers(labels: Mapping[str, str]) -> dict[str, Widget | str]:
    return {name: Widget(label, is_required=True) for name, label in labels.items()}


FORMS: dict[str, Form[Any]] = {
    "sampling": Form(
        Sampling,
        "sampling",
        "Sampling",
        SAVE,
        _numbers(
            {
                "interval_seconds": "Snapshots every (seconds)",
                "process_interval_seconds": "Processes and sessions every (seconds)",
                "inventory_interval_seconds": "Inventory every (seconds)",
            }
        ),
        text="How often agents measure. A change reaches every agent with its next report.",
    ),
    "features": Form(
        Features,
        "features",
        "Features",
        SAVE,
        {
            name: Widget(label, hint=Features.model_fields[name].description or "")
            for name, label in {
                "perf_events_enabled": "Hardware counters",
                "gpu_enabled": "Graphics processors",
                "processes_enabled": "Processes",
                "process_arguments_enabled": "Arguments of processes",
                "sessions_enabled": "Login sessions",
                "network_file_systems_enabled": "Network file systems",
            }.items()
        },
        text="What agents collect besides the basics, if the machine has it.",
    ),
    "audit": Form(
        AuditKeeping,
        "audit",
        "Audit log",
        SAVE,
        _numbers(
            {
                "archive_after_months": "Move to a file after (months)",
                "retention_months": "Keep for (months)",
            }
        ),
        text="When a month of the log moves from the database to a file, and how long the file is kept.",
    ),
    "alerts": Form(
        AlertKeeping,
        "alerts",
        "Alerts",
        SAVE,
        _numbers({"retention_days": "Keep for (days)"}),
        text="How long resolved alerts are kept. They are deleted by the week, at night; open alerts stay.",
    ),
    "requests": Form(
        DeviceRequests,
        "requests",
        "Device requests",
        SAVE,
        _numbers(
            {
                "duplicate_window_seconds": "Same request counts as one within (seconds)",
                "max_open_per_device": "Open requests per device",
                "confidence_threshold": "An agent's answer needs a person below a confidence of",
                "delivery_hours": "Give up undelivered responses after (hours)",
                "max_deliveries": "Give up undelivered responses after (attempts)",
                "retention_days": "Move ended requests to the archive after (days)",
            }
        ),
        text="How requests of devices are taken on, answered and delivered.",
    ),
    "replenishment": Form(
        Replenishment,
        "replenishment",
        "Replenishment",
        SAVE,
        _numbers(
            {
                "service_level_percent": "Service level (percent)",
                "review_days": "An order lasts beyond the reorder point for (days)",
                "default_lead_time_days": "Lead time where none is known (days)",
                "dismissed_days": "A dismissed proposal stays away for (days)",
            }
        ),
        text="When parts are reordered, and how many. It counts from the next look through stock.",
    ),
}
