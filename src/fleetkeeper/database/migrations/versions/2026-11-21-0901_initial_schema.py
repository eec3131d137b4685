"""initial schema.

The version before this one must keep working against the changed schema: add first, remove a release later.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.create_table(
        "archive_policy",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("retention_days", sa.Integer(), server_default="30", nullable=False),
        sa.Column("archive_enabled", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("downsample_after_days", sa.Integer(), server_default="7", nullable=False),
        sa.Column("downsample_interval", sa.String(length=20), server_default="1 hour", nullable=False),
        sa.Column("last_archive_run", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_policy")),
    )
    op.create_table(
        "channels",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("metric_id", sa.Integer(), nullable=False),
        sa.Column("labels", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("key", sa.String(length=1000), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channels")),
        sa.UniqueConstraint("key", name=op.f("uq_channels_key")),
    )
    op.create_index(op.f("ix_channels_metric_id"), "channels", ["metric_id"], unique=False)
    op.create_table(
        "config",
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_config")),
    )
    op.create_table(
        "device_layouts",
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("layout_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("device_id", "layout_id", name=op.f("pk_device_layouts")),
    )
    op.create_table(
        "devices",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("hostname", sa.String(length=255), nullable=False),
        sa.Column("device_type", sa.String(length=50), server_default="server", nullable=False),
        sa.Column("status", sa.String(length=20), server_default="unknown", nullable=False),
        sa.Column("lifecycle", sa.String(length=20), server_default="active", nullable=False),
        sa.Column("location", sa.String(length=255), nullable=True),
        sa.Column("fqdn", sa.String(length=300), nullable=True),
        sa.Column("domain", sa.String(length=300), nullable=True),
        sa.Column("os_name", sa.String(length=300), nullable=True),
        sa.Column("os_version", sa.String(length=300), nullable=True),
        sa.Column("os_build", sa.String(length=300), nullable=True),
        sa.Column("kernel", sa.String(length=300), nullable=True),
        sa.Column("architecture", sa.String(length=300), nullable=True),
        sa.Column("manufacturer", sa.String(length=300), nullable=True),
        sa.Column("model", sa.String(length=300), nullable=True),
        sa.Column("serial_number", sa.String(length=300), nullable=True),
        sa.Column("virtualization", sa.String(length=300), nullable=True),
        sa.Column("cpu_model", sa.String(length=300), nullable=True),
        sa.Column("cpu_cores", sa.Integer(), nullable=True),
        sa.Column("cpu_threads", sa.Integer(), nullable=True),
        sa.Column("memory_total_bytes", sa.BigInteger(), nullable=True),
        sa.Column("gpu_models", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("interfaces", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("boot_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "capabilities", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
        sa.Column("metadata", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column(
            "search_text",
            sa.Text(),
            sa.Computed(
                "name || ' ' || hostname || ' ' || coalesce(serial_number, '') || ' ' || coalesce(location, '')",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "lifecycle IN ('active', 'inactive', 'maintenance', 'retired')", name=op.f("ck_devices_lifecycle")
        ),
        sa.CheckConstraint("status IN ('online', 'offline', 'unknown')", name=op.f("ck_devices_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_devices")),
    )
    op.create_index(
        "ix_devices_capabilities", "devices", ["capabilities"], unique=False, postgresql_using="gin"
    )
    op.create_index("ix_devices_domain", "devices", ["domain"], unique=False)
    op.create_index("ix_devices_last_seen", "devices", ["last_seen", "id"], unique=False)
    op.create_index("ix_devices_name", "devices", ["name", "id"], unique=False)
    op.create_index(
        "ix_devices_online",
        "devices",
        ["last_seen"],
        unique=False,
        postgresql_where=sa.text("status = 'online'"),
    )
    op.create_index(
        "ix_devices_search",
        "devices",
        ["search_text"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"search_text": "gin_trgm_ops"},
    )
    op.create_index("ix_devices_status", "devices", ["status", "name", "id"], unique=False)
    op.create_index("ix_devices_type", "devices", ["device_type", "name", "id"], unique=False)
    op.create_table(
        "frames",
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("ts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("layout_id", sa.Integer(), nullable=False),
        sa.Column("values", sa.ARRAY(sa.Double()), nullable=False),
        sa.PrimaryKeyConstraint("device_id", "ts", name=op.f("pk_frames")),
        postgresql_partition_by="RANGE (ts)",
    )
    op.create_table(
        "latest",
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("ts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("layout_id", sa.Integer(), nullable=False),
        sa.Column("values", sa.ARRAY(sa.Double()), nullable=False),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_latest")),
        postgresql_with={"fillfactor": "50"},
    )
    op.create_table(
        "layout_channels",
        sa.Column("layout_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("channel_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("layout_id", "position", name=op.f("pk_layout_channels")),
    )
    op.create_index(op.f("ix_layout_channels_channel_id"), "layout_channels", ["channel_id"], unique=False)
    op.create_table(
        "layouts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel_ids", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_layouts")),
        sa.UniqueConstraint("digest", name=op.f("uq_layouts_digest")),
    )
    op.create_table(
        "metrics",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("metric_type", sa.String(length=50), nullable=False),
        sa.Column("unit", sa.String(length=60), server_default="", nullable=False),
        sa.Column("kind", sa.String(length=10), server_default="gauge", nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_metrics")),
        sa.UniqueConstraint("name", name=op.f("uq_metrics_name")),
    )
    op.create_index(op.f("ix_metrics_metric_type"), "metrics", ["metric_type"], unique=False)
    op.create_table(
        "process_snapshots",
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("ts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("processes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("device_id", "ts", name=op.f("pk_process_snapshots")),
        postgresql_partition_by="RANGE (ts)",
    )
    op.create_table(
        "user_sessions",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("username", sa.String(length=300), nullable=False),
        sa.Column("terminal", sa.String(length=300), server_default="", nullable=False),
        sa.Column("host", sa.String(length=300), server_default="", nullable=False),
        sa.Column("login_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("logout_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column(
            "session_duration_minutes",
            sa.BigInteger(),
            sa.Computed("CAST(extract(epoch FROM logout_time - login_time) / 60 AS bigint)", persisted=True),
            nullable=True,
        ),
        sa.Column(
            "active_processes", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False
        ),
        sa.Column("peak_cpu_usage", sa.Double(), nullable=True),
        sa.Column("peak_ram_usage", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_user_sessions")),
    )
    op.create_index(
        "ix_user_sessions_active",
        "user_sessions",
        ["device_id"],
        unique=False,
        postgresql_where=sa.text("is_active"),
    )
    op.create_index(
        "ix_user_sessions_device_login", "user_sessions", ["device_id", "login_time"], unique=False
    )
    op.create_table(
        "users",
        sa.Column("username", sa.String(length=100), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=True),
        sa.Column("name", sa.String(length=255), server_default="", nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("role", sa.String(length=20), server_default="viewer", nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("last_login", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("role IN ('admin', 'viewer')", name=op.f("ck_users_role")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
        sa.UniqueConstraint("username", name=op.f("uq_users_username")),
    )
    op.create_table(
        "api_tokens",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_api_tokens_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_api_tokens_secret_hash")),
    )
    op.create_index(op.f("ix_api_tokens_user_id"), "api_tokens", ["user_id"], unique=False)
    op.create_table(
        "device_identities",
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("value", sa.String(length=300), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"],
            ["devices.id"],
            name=op.f("fk_device_identities_device_id_devices"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_identities")),
        sa.UniqueConstraint(
            "device_id", "kind", "value", name=op.f("uq_device_identities_device_id_kind_value")
        ),
    )
    op.create_index("ix_device_identities_kind_value", "device_identities", ["kind", "value"], unique=False)
    op.create_table(
        "device_keys",
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name=op.f("fk_device_keys_device_id_devices"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_keys")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_device_keys_secret_hash")),
    )
    op.create_index(op.f("ix_device_keys_device_id"), "device_keys", ["device_id"], unique=False)
    op.create_table(
        "device_sources",
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("source_system", sa.String(length=50), nullable=False),
        sa.Column("source_instance", sa.String(length=100), server_default="", nullable=False),
        sa.Column("source_id", sa.String(length=300), nullable=False),
        sa.Column("attributes", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("missing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"],
            ["devices.id"],
            name=op.f("fk_device_sources_device_id_devices"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_sources")),
        sa.UniqueConstraint(
            "source_system",
            "source_instance",
            "source_id",
            name=op.f("uq_device_sources_source_system_source_instance_source_id"),
        ),
    )
    op.create_index(op.f("ix_device_sources_device_id"), "device_sources", ["device_id"], unique=False)
    op.create_table(
        "device_vitals",
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("ts", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cpu_percent", sa.Double(), nullable=True),
        sa.Column("memory_percent", sa.Double(), nullable=True),
        sa.Column("disk_percent", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name=op.f("fk_device_vitals_device_id_devices"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_device_vitals")),
        postgresql_with={"fillfactor": "60"},
    )
    op.create_index(
        "ix_device_vitals_cpu",
        "device_vitals",
        [sa.literal_column("coalesce(cpu_percent, -1)"), "device_id"],
        unique=False,
    )
    op.create_index(
        "ix_device_vitals_disk",
        "device_vitals",
        [sa.literal_column("coalesce(disk_percent, -1)"), "device_id"],
        unique=False,
    )
    op.create_index(
        "ix_device_vitals_memory",
        "device_vitals",
        [sa.literal_column("coalesce(memory_percent, -1)"), "device_id"],
        unique=False,
    )
    op.create_table(
        "enrollment_tokens",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("max_uses", sa.Integer(), server_default="1", nullable=False),
        sa.Column("uses", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["users.id"],
            name=op.f("fk_enrollment_tokens_created_by_users"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrollment_tokens")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_enrollment_tokens_secret_hash")),
    )
    op.create_index(
        op.f("ix_enrollment_tokens_created_at"), "enrollment_tokens", ["created_at"], unique=False
    )
    op.create_table(
        "sessions",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("csrf_token", sa.String(length=64), nullable=False),
        sa.Column("address", postgresql.INET(), nullable=True),
        sa.Column("user_agent", sa.String(length=300), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_sessions_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_sessions_secret_hash")),
    )
    op.create_index(op.f("ix_sessions_expires_at"), "sessions", ["expires_at"], unique=False)
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"], unique=False)
    op.create_table(
        "agents",
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.String(length=300), nullable=True),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("enrolled_with", sa.Uuid(), nullable=True),
        sa.Column("last_contact", sa.DateTime(timezone=True), nullable=True),
        sa.Column("collectors", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name=op.f("fk_agents_device_id_devices"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["enrolled_with"],
            ["enrollment_tokens.id"],
            name=op.f("fk_agents_enrolled_with_enrollment_tokens"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_agents")),
    )
    op.create_index(op.f("ix_agents_enrolled_at"), "agents", ["enrolled_at"], unique=False)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index(op.f("ix_agents_enrolled_at"), table_name="agents")
    op.drop_table("agents")
    op.drop_index(op.f("ix_sessions_user_id"), table_name="sessions")
    op.drop_index(op.f("ix_sessions_expires_at"), table_name="sessions")
    op.drop_table("sessions")
    op.drop_index(op.f("ix_enrollment_tokens_created_at"), table_name="enrollment_tokens")
    op.drop_table("enrollment_tokens")
    op.drop_index("ix_device_vitals_memory", table_name="device_vitals")
    op.drop_index("ix_device_vitals_disk", table_name="device_vitals")
    op.drop_index("ix_device_vitals_cpu", table_name="device_vitals")
    op.drop_table("device_vitals")
    op.drop_index(op.f("ix_device_sources_device_id"), table_name="device_sources")
    op.drop_table("device_sources")
    op.drop_index(op.f("ix_device_keys_device_id"), table_name="device_keys")
    op.drop_table("device_keys")
    op.drop_index("ix_device_identities_kind_value", table_name="device_identities")
    op.drop_table("device_identities")
    op.drop_index(op.f("ix_api_tokens_user_id"), table_name="api_tokens")
    op.drop_table("api_tokens")
    op.drop_table("users")
    op.drop_index("ix_user_sessions_device_login", table_name="user_sessions")
    op.drop_index(
        "ix_user_sessions_active", table_name="user_sessions", postgresql_where=sa.text("is_active")
    )
    op.drop_table("user_sessions")
    op.drop_table("process_snapshots")
    op.drop_index(op.f("ix_metrics_metric_type"), table_name="metrics")
    op.drop_table("metrics")
    op.drop_table("layouts")
    op.drop_index(op.f("ix_layout_channels_channel_id"), table_name="layout_channels")
    op.drop_table("layout_channels")
    op.drop_table("latest")
    op.drop_table("frames")
    op.drop_index("ix_devices_type", table_name="devices")
    op.drop_index("ix_devices_status", table_name="devices")
    op.drop_index(
        "ix_devices_search",
        table_name="devices",
        postgresql_using="gin",
        postgresql_ops={"search_text": "gin_trgm_ops"},
    )
    op.drop_index("ix_devices_online", table_name="devices", postgresql_where=sa.text("status = 'online'"))
    op.drop_index("ix_devices_name", table_name="devices")
    op.drop_index("ix_devices_last_seen", table_name="devices")
    op.drop_index("ix_devices_domain", table_name="devices")
    op.drop_index("ix_devices_capabilities", table_name="devices", postgresql_using="gin")
    op.drop_table("devices")
    op.drop_table("device_layouts")
    op.drop_table("config")
    op.drop_index(op.f("ix_channels_metric_id"), table_name="channels")
    op.drop_table("channels")
    op.drop_table("archive_policy")
