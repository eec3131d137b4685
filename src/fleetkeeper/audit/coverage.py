"""Which tables and columns the audit log does not tell of, and why. A test holds it against the database.

What grants, identifies or protects something is told of, as a secret where it is one. A column may be left out only if
it changes by itself; computed columns follow from others.
"""

UNAUDITED = {
    "alembic_version": "says which migrations ran; only a migration writes it",
    "archive_files": "where old measurements are; a run that moves or removes them is an event of its own",
    "archive_parts": "where in a file measurements are; follows from archive_files",
    "archive_runs": "what runs did; each is an event of its own",
    "audit_epochs": "is part of the log, and written as a restored database is first started",
    "audit_log": "is the log",
    "audit_seals": "is part of the log; an entry for each seal would need a seal again",
    "channels": "names that measurements come under, made as agents report",
    "chunks": "measurements, which the sealer alone writes",
    "device_layouts": "which layouts a device reports with; follows from its frames",
    "device_vitals": "the newest measurements, rewritten every few seconds",
    "frames": "measurements, which agents alone write",
    "hourly_statistics": "hours of rollups, which the worker alone writes",
    "idempotency_keys": "answers to give again; what the requests changed is audited",
    "intake_minutes": "how much arrived; follows from what agents and senders do",
    "job_runs": "how far jobs are; what they change is audited",
    "known_browsers": "made by each sign-in, which is an event of its own",
    "latest": "the newest measurements, rewritten every few seconds",
    "layout_channels": "the order of channels in measurements, made as agents report",
    "layouts": "the order of channels in measurements, made as agents report",
    "metrics": "names that measurements come under, made as agents report",
    "notification_deliveries": "how far deliveries are; the delivery log tells it",
    "notification_events": "what is on its way to people; what happened is audited itself",
    "notification_inbox": "what people have read",
    "oidc_flows": "sign-ins under way; how each ends is an event of its own",
    "process_snapshots": "measurements, which agents alone write",
    "procrastinate_events": "the queue; what its jobs change is audited",
    "procrastinate_jobs": "the queue; what its jobs change is audited",
    "procrastinate_periodic_defers": "the queue; what its jobs change is audited",
    "procrastinate_workers": "the queue; what its jobs change is audited",
    "raw_removed": "until when measurements were removed; follows from runs",
    "refused_samples": "what was refused of measurements; follows from what agents and senders do",
    "rollup_changes": "what the roll-up still has to do",
    "rollups": "measurements summed up, which the worker alone writes",
    "sender_mapping": "counts changes of tables that are audited themselves",
    "sign_in_challenges": "sign-ins under way; how each ends is an event of its own",
    "sign_in_failures": "counts failed sign-ins, each of which is an event of its own",
    "snapshot_fields": "a constant that belongs to a view",
    "space_channels": "what the job that measures space counted",
    "space_devices": "what the job that measures space counted",
    "space_groups": "what the job that measures space counted",
    "space_totals": "what the job that measures space counted",
    "status_history": "is a history itself",
    "states": "measurements, which agents alone write",
    "telemetry_deletions": "progress of deletions; asking for one, and its end, are events of their own",
    "user_sessions": "who is logged in at a machine, as its agent reports",
}

_USED = "moves on with each use"
_SEEN = "moves on with each report"
_WRITTEN = "says when the row was written, which its entry says too"

# By table: columns whose changes alone leave no entry.
SKIPPED = {
    "agents": {"last_contact": _SEEN},
    "api_tokens": {"last_used_at": _USED, "last_used_address": _USED},
    "archive_policy": {"last_archive_run": "moves on with each run", "updated_at": _WRITTEN},
    "config": {"updated_at": _WRITTEN},
    "dashboards": {"created_at": _WRITTEN, "updated_at": _WRITTEN},
    "departments": {"updated_at": _WRITTEN},
    "device_identities": {"last_seen": _SEEN},
    "device_keys": {"last_used_at": _USED},
    "device_sources": {"last_seen": _SEEN},
    "devices": {
        "first_seen": "is set by the first report",
        "last_seen": _SEEN,
        "status": "follows from reports, every few seconds",
        "updated_at": _WRITTEN,
        "version": "counts changes, each of which has its entry",
    },
    "enrollment_tokens": {"last_used_at": _USED},
    "groups": {"updated_at": _WRITTEN},
    "identity_providers": {"updated_at": _WRITTEN},
    "notification_channels": {
        "created_at": _WRITTEN,
        "updated_at": _WRITTEN,
        "version": "counts changes, each of which has its entry",
    },
    "notification_preferences": {"updated_at": _WRITTEN},
    "notification_rules": {
        "created_at": _WRITTEN,
        "updated_at": _WRITTEN,
        "version": "counts changes, each of which has its entry",
    },
    "passkeys": {"last_used_at": _USED},
    "roles": {"updated_at": _WRITTEN},
    "sender_rules": {"created_at": _WRITTEN, "updated_at": _WRITTEN},
    "sessions": {
        "last_used_at": _USED,
        "provider_asked_at": "moves on every few minutes while a person is there",
        "provider_checked_at": "moves on every few minutes while a person is there",
    },
    "telemetry_hosts": {"first_seen": "is set by the first sample"},
    "user_identities": {"last_login": _USED},
    "users": {
        "last_login": _USED,
        "updated_at": _WRITTEN,
        "role": "follows from memberships, and grants nothing itself",
        "oauth_provider": "follows from user_identities, and is for readers with SQL",
        "oauth_id": "follows from user_identities, and is for readers with SQL",
    },
}
