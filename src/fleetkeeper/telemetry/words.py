"""What this room's objects are called."""

from fleetkeeper.audit.coverage import declare_skipped, declare_unaudited
from fleetkeeper.audit.words import declare_object

declare_object("archive_policy", "retention policy")

declare_unaudited(
    "archive_files", "where old measurements are; a run that moves or removes them is an event of its own"
)
declare_unaudited("archive_parts", "where in a file measurements are; follows from archive_files")
declare_unaudited("channels", "names that measurements come under, made as agents report")
declare_unaudited("telemetry_doors", "that telemetry comes in; changes every few seconds")
declare_unaudited("chunks", "measurements, which the sealer alone writes")
declare_unaudited("device_layouts", "which layouts a device reports with; follows from its frames")
declare_unaudited("frames", "measurements, which agents alone write")
declare_unaudited("hourly_statistics", "hours of rollups, which the worker alone writes")
declare_unaudited("intake_minutes", "how much arrived; follows from what agents and senders do")
declare_unaudited("latest", "the newest measurements, rewritten every few seconds")
declare_unaudited("layout_channels", "the order of channels in measurements, made as agents report")
declare_unaudited("layouts", "the order of channels in measurements, made as agents report")
declare_unaudited("metrics", "names that measurements come under, made as agents report")
declare_unaudited("process_snapshots", "measurements, which agents alone write")
declare_unaudited("raw_removed", "until when measurements were removed; follows from runs")
declare_unaudited(
    "refused_samples", "what was refused of measurements; follows from what agents and senders do"
)
declare_unaudited("rollup_changes", "what the roll-up still has to do")
declare_unaudited("rollups", "measurements summed up, which the worker alone writes")
declare_unaudited("sender_mapping", "counts changes of tables that are audited themselves")
declare_unaudited("snapshot_fields", "a constant that belongs to a view")
declare_unaudited("space_channels", "what the job that measures space counted")
declare_unaudited("space_devices", "what the job that measures space counted")
declare_unaudited("space_groups", "what the job that measures space counted")
declare_unaudited("space_totals", "what the job that measures space counted")
declare_unaudited("states", "measurements, which agents alone write")
declare_unaudited(
    "telemetry_deletions", "progress of deletions; asking for one, and its end, are events of their own"
)
declare_unaudited("user_sessions", "who is logged in at a machine, as its agent reports")
declare_skipped("archive_policy", last_archive_run="moves on with each run")
