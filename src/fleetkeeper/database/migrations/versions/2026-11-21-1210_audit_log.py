"""The audit log, its seals and its archive.

The version before this one must keep working against the changed schema: add first, remove a release later.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from fleetkeeper.database.migrations.running import run_sql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "audit_epochs",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("system_identifier", sa.BigInteger(), nullable=False),
        sa.Column("transaction_offset", sa.BigInteger(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_epochs")),
    )
    # A default of the table below, so it must be there before it.
    op.execute(
        "CREATE FUNCTION audit_transaction_id() RETURNS bigint LANGUAGE sql STABLE PARALLEL RESTRICTED AS $$ "
        "SELECT pg_current_xact_id()::text::bigint "
        "+ coalesce((SELECT max(transaction_offset) FROM public.audit_epochs), 0) $$"
    )
    op.create_table(
        "audit_archives",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("file_name", sa.String(length=100), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("first_id", sa.BigInteger(), nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_archives")),
        sa.UniqueConstraint("file_name", name=op.f("uq_audit_archives_file_name")),
        sa.UniqueConstraint("month", name=op.f("uq_audit_archives_month")),
    )
    op.create_table(
        "audit_log",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "timestamp",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "transaction_id",
            sa.BigInteger(),
            server_default=sa.text("audit_transaction_id()"),
            nullable=False,
        ),
        sa.Column("action", sa.String(length=100), nullable=False),
        sa.Column("actor_kind", sa.String(length=20), nullable=False),
        sa.Column("actor_name", sa.String(length=255), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("token_id", sa.Uuid(), nullable=True),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("resource_type", sa.String(length=50), nullable=False),
        sa.Column("record_id", sa.String(length=300), nullable=True),
        sa.Column("record_name", sa.String(length=300), nullable=True),
        sa.Column("old_values", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("new_values", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("ip_address", postgresql.INET(), nullable=True),
        sa.Column("user_agent", sa.String(length=300), nullable=True),
        sa.Column("request_id", sa.String(length=100), nullable=True),
        sa.Column("change_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", "timestamp", name=op.f("pk_audit_log")),
        postgresql_partition_by="RANGE (timestamp)",
    )
    op.create_index(
        "ix_audit_log_device",
        "audit_log",
        ["device_id", "id"],
        unique=False,
        postgresql_where=sa.text("device_id IS NOT NULL"),
    )
    op.create_index(
        "ix_audit_log_request",
        "audit_log",
        ["request_id"],
        unique=False,
        postgresql_where=sa.text("request_id IS NOT NULL"),
    )
    op.create_index(
        "ix_audit_log_resource",
        "audit_log",
        ["resource_type", "record_id", "id"],
        unique=False,
        postgresql_where=sa.text("resource_type <> 'devices'"),
    )
    op.create_index(
        "ix_audit_log_timestamp", "audit_log", ["timestamp"], unique=False, postgresql_using="brin"
    )
    op.create_index("ix_audit_log_transaction", "audit_log", ["transaction_id", "id"], unique=False)
    op.create_index(
        "ix_audit_log_user",
        "audit_log",
        ["user_id", "id"],
        unique=False,
        postgresql_where=sa.text("user_id IS NOT NULL"),
    )
    op.create_table(
        "audit_seals",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("from_transaction", sa.BigInteger(), nullable=False),
        sa.Column("to_transaction", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("leaves", sa.LargeBinary(), nullable=False),
        sa.Column("merkle_root", sa.LargeBinary(), nullable=False),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=False),
        sa.Column("seal_hash", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_seals")),
    )
    op.create_index("ix_audit_seals_to_transaction", "audit_seals", ["to_transaction"], unique=False)
    run_sql(revision)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    run_sql(revision, down=True)
    op.drop_index("ix_audit_seals_to_transaction", table_name="audit_seals")
    op.drop_table("audit_seals")
    op.drop_index(
        "ix_audit_log_user", table_name="audit_log", postgresql_where=sa.text("user_id IS NOT NULL")
    )
    op.drop_index("ix_audit_log_transaction", table_name="audit_log")
    op.drop_index("ix_audit_log_timestamp", table_name="audit_log", postgresql_using="brin")
    op.drop_index(
        "ix_audit_log_resource",
        table_name="audit_log",
        postgresql_where=sa.text("resource_type <> 'devices'"),
    )
    op.drop_index(
        "ix_audit_log_request", table_name="audit_log", postgresql_where=sa.text("request_id IS NOT NULL")
    )
    op.drop_index(
        "ix_audit_log_device", table_name="audit_log", postgresql_where=sa.text("device_id IS NOT NULL")
    )
    op.drop_table("audit_log")
    op.drop_table("audit_archives")
    op.execute("DROP FUNCTION audit_transaction_id()")
    op.drop_table("audit_epochs")
