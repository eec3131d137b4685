"""What this room's objects, events and constraints are called."""

from fleetkeeper.audit.coverage import declare_skipped, declare_unaudited
from fleetkeeper.audit.words import declare_object
from fleetkeeper.database.constraints import declare_taken, declare_wrong
from fleetkeeper.devices.merging.moving import Moving, declare_moving
from fleetkeeper.notifications.events import Severity, declare_event

declare_object("alert_rules", page="/alerts/rules/{}")
declare_object("alert_overrides", "override of an alert rule")
declare_object("alert_silences", "silence", page="/alerts/silences/{}")
declare_object("alert_receivers", "alert receiver", page="/alerts/receivers/{}")
declare_object("alert_routes", "alert route", page="/alerts/routes/{}")
declare_object("recording_rules", page="/alerts/recording-rules/{}")
declare_skipped("alert_rule_files", synced_at="changes with each import, whose changes are audited")
declare_unaudited("alert_evaluations", "when rules are due; changes with every evaluation")
declare_unaudited("alert_events", "is a history itself")
declare_unaudited("alert_rule_versions", "is a history itself, kept by the database")
declare_unaudited("alert_groups", "which alerts are told together; alert_events tells whom")
declare_unaudited("alert_group_members", "which alerts are told together; alert_events tells whom")
declare_unaudited("alert_instances", "what is true now; alert_logs and alert_events tell what became of it")
declare_unaudited("recorded_series", "what recording rules stored last; changes with every evaluation")
declare_unaudited("alert_logs", "what rules found; alert_events tells what people did about it")

declare_moving(Moving("alert_silences", "device_id", "silences"))
declare_moving(
    Moving(
        "alert_overrides",
        "device_id",
        "overrides of alert rules",
        stays="o.alert_rule_id = t.alert_rule_id",
    )
)
# What fires is ended by its rule, which no longer knows the device.
declare_moving(
    Moving(
        "alert_logs",
        "system_id",
        "past alerts",
        key="alert_id",
        key_type="bigint",
        only="t.resolved_at IS NOT NULL",
    )
)

declare_taken("uq_alert_rules_name", "name", "An alert rule with this name already exists.")
declare_taken("uq_alert_receivers_department_id_name", "name", "A receiver with this name already exists.")
declare_taken(
    "uq_alert_overrides_alert_rule_id_device_id_tag_id",
    "device_id",
    "The rule already has an override for this device or tag.",
)
declare_taken(
    "uq_alert_routes_root", "parent_id", "The tree already has a first route; give another one's ID."
)
for _table in ("alert_rules", "alert_silences", "alert_receivers", "alert_routes"):
    declare_wrong(f"fk_{_table}_department_id_departments", "department_id", "No such department")
declare_wrong("fk_alert_silences_device_id_devices", "device_id", "No such device")
declare_wrong("fk_alert_silences_tag_id_tags", "tag_id", "No such tag")
declare_wrong("fk_alert_overrides_device_id_devices", "device_id", "No such device")
declare_wrong("fk_alert_overrides_tag_id_tags", "tag_id", "No such tag")
declare_wrong(
    "fk_alert_routes_receiver_id_alert_receivers", "receiver_id", "No such receiver, or a route uses it"
)
declare_wrong(
    "fk_alert_routes_escalate_to_id_alert_receivers", "escalate_to_id", "No such receiver, or a route uses it"
)
declare_wrong("fk_alert_routes_parent_id_alert_routes", "parent_id", "No such route")

ALERTS_TOLD = declare_event(
    "alerts.told",
    "Alert fired or resolved",
    subject="{subject}",
    body="{text}",
    fields=("text",),
    lines=("text",),
    severity=Severity.WARNING,
)
