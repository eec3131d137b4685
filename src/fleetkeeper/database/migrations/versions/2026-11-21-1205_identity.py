"""Groups, roles, departments, memberships, second factors, providers, and tokens with limits.

The version before this one must keep working against the changed schema: add first, remove a release later.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from fleetkeeper.database.migrations.running import run_sql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "identity_providers",
        sa.Column("slug", sa.String(length=50), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("preset", sa.String(length=20), server_default="generic", nullable=False),
        sa.Column("issuer", sa.String(length=500), nullable=False),
        sa.Column("client_id", sa.String(length=300), nullable=False),
        sa.Column("client_secret_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("scopes", sa.String(length=300), server_default="openid email profile", nullable=False),
        sa.Column("groups_claim", sa.String(length=100), server_default="groups", nullable=False),
        sa.Column("hosted_domain", sa.String(length=255), nullable=True),
        sa.Column("scim_claim", sa.String(length=100), nullable=True),
        sa.Column("enabled", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("creates_users", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("recheck_seconds", sa.Integer(), server_default="60", nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "preset IN ('generic', 'entra', 'google')", name=op.f("ck_identity_providers_preset")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_providers")),
        sa.UniqueConstraint("slug", name=op.f("uq_identity_providers_slug")),
    )
    op.create_table(
        "installation",
        sa.Column("only_one", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("instance_id", sa.Uuid(), nullable=False),
        sa.Column(
            "installed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.CheckConstraint("only_one", name=op.f("ck_installation_only_one")),
        sa.PrimaryKeyConstraint("only_one", name=op.f("pk_installation")),
    )
    op.create_table(
        "roles",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("is_builtin", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("requires_second_factor", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roles")),
        sa.UniqueConstraint("name", name=op.f("uq_roles_name")),
    )
    op.create_table(
        "sign_in_failures",
        sa.Column("bucket", sa.String(length=150), nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_failures")),
    )
    op.create_index("ix_sign_in_failures_bucket", "sign_in_failures", ["bucket", "failed_at"], unique=False)
    op.create_index(op.f("ix_sign_in_failures_failed_at"), "sign_in_failures", ["failed_at"], unique=False)
    op.create_table(
        "departments",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("manager_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("parent_id <> id", name=op.f("ck_departments_not_its_own_parent")),
        sa.ForeignKeyConstraint(
            ["manager_id"], ["users.id"], name=op.f("fk_departments_manager_id_users"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["departments.id"], name=op.f("fk_departments_parent_id_departments")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_departments")),
        sa.UniqueConstraint(
            "parent_id",
            "name",
            name=op.f("uq_departments_parent_id_name"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(op.f("ix_departments_manager_id"), "departments", ["manager_id"], unique=False)
    op.create_table(
        "groups",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("source", sa.String(length=10), server_default="local", nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=True),
        sa.Column("external_id", sa.String(length=255), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("source IN ('local', 'oidc', 'scim')", name=op.f("ck_groups_source")),
        sa.ForeignKeyConstraint(
            ["provider_id"],
            ["identity_providers.id"],
            name=op.f("fk_groups_provider_id_identity_providers"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_groups")),
        sa.UniqueConstraint(
            "provider_id", "name", name=op.f("uq_groups_provider_id_name"), postgresql_nulls_not_distinct=True
        ),
    )
    op.create_index("uq_groups_external_id", "groups", ["external_id"], unique=True)
    op.create_table(
        "known_browsers",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_known_browsers_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_known_browsers")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_known_browsers_secret_hash")),
    )
    op.create_index(op.f("ix_known_browsers_last_used_at"), "known_browsers", ["last_used_at"], unique=False)
    op.create_index(op.f("ix_known_browsers_user_id"), "known_browsers", ["user_id"], unique=False)
    op.create_table(
        "oidc_flows",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("state_hash", sa.LargeBinary(), nullable=False),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=False),
        sa.Column("secrets_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("next_path", sa.String(length=2000), server_default="/", nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["provider_id"],
            ["identity_providers.id"],
            name=op.f("fk_oidc_flows_provider_id_identity_providers"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oidc_flows")),
        sa.UniqueConstraint("state_hash", name=op.f("uq_oidc_flows_state_hash")),
    )
    op.create_index(op.f("ix_oidc_flows_expires_at"), "oidc_flows", ["expires_at"], unique=False)
    op.create_index(op.f("ix_oidc_flows_provider_id"), "oidc_flows", ["provider_id"], unique=False)
    op.create_table(
        "passkeys",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("transports", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_passkeys_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkeys")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkeys_credential_id")),
    )
    op.create_index(op.f("ix_passkeys_user_id"), "passkeys", ["user_id"], unique=False)
    op.create_table(
        "recovery_codes",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_recovery_codes_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_codes")),
    )
    op.create_index(op.f("ix_recovery_codes_user_id"), "recovery_codes", ["user_id"], unique=False)
    op.create_table(
        "role_permissions",
        sa.Column("role_id", sa.Uuid(), nullable=False),
        sa.Column("permission", sa.String(length=100), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["role_id"], ["roles.id"], name=op.f("fk_role_permissions_role_id_roles"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_permissions")),
        sa.UniqueConstraint("role_id", "permission", name=op.f("uq_role_permissions_role_id_permission")),
    )
    op.create_table(
        "sign_in_challenges",
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.String(length=30), nullable=False),
        sa.Column("webauthn_challenge", sa.LargeBinary(), nullable=True),
        sa.Column("method", sa.String(length=20), server_default="password", nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=True),
        sa.Column("provider_tokens", sa.LargeBinary(), nullable=True),
        sa.Column("next_path", sa.String(length=2000), server_default="/", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["provider_id"],
            ["identity_providers.id"],
            name=op.f("fk_sign_in_challenges_provider_id_identity_providers"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_sign_in_challenges_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_challenges")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_sign_in_challenges_secret_hash")),
    )
    op.create_index(
        op.f("ix_sign_in_challenges_expires_at"), "sign_in_challenges", ["expires_at"], unique=False
    )
    op.create_index(op.f("ix_sign_in_challenges_user_id"), "sign_in_challenges", ["user_id"], unique=False)
    op.create_table(
        "totp_devices",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_step", sa.Integer(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_totp_devices_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_totp_devices")),
        sa.UniqueConstraint("user_id", name=op.f("uq_totp_devices_user_id")),
    )
    op.create_table(
        "user_identities",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("issuer", sa.String(length=500), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_login", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["provider_id"],
            ["identity_providers.id"],
            name=op.f("fk_user_identities_provider_id_identity_providers"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_user_identities_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_identities")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_user_identities_issuer_subject")),
    )
    op.create_index(op.f("ix_user_identities_provider_id"), "user_identities", ["provider_id"], unique=False)
    op.create_index(op.f("ix_user_identities_user_id"), "user_identities", ["user_id"], unique=False)
    op.create_table(
        "database_readers",
        sa.Column("login", sa.String(length=63), nullable=False),
        sa.Column("database_role", sa.String(length=63), nullable=False),
        sa.Column("sees_all", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["departments.id"],
            name=op.f("fk_database_readers_department_id_departments"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("login", name=op.f("pk_database_readers")),
    )
    op.create_index(
        op.f("ix_database_readers_department_id"), "database_readers", ["department_id"], unique=False
    )
    op.create_table(
        "group_members",
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["groups.id"], name=op.f("fk_group_members_group_id_groups"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_group_members_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("group_id", "user_id", name=op.f("pk_group_members")),
    )
    op.create_index(op.f("ix_group_members_user_id"), "group_members", ["user_id"], unique=False)
    op.create_table(
        "memberships",
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("group_id", sa.Uuid(), nullable=True),
        sa.Column("role_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=True),
        sa.Column("assigned_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("assigned_by", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("num_nonnulls(user_id, group_id) = 1", name=op.f("ck_memberships_one_holder")),
        sa.ForeignKeyConstraint(
            ["assigned_by"], ["users.id"], name=op.f("fk_memberships_assigned_by_users"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["departments.id"],
            name=op.f("fk_memberships_department_id_departments"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["group_id"], ["groups.id"], name=op.f("fk_memberships_group_id_groups"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["role_id"], ["roles.id"], name=op.f("fk_memberships_role_id_roles")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_memberships_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memberships")),
        sa.UniqueConstraint(
            "user_id",
            "group_id",
            "role_id",
            "department_id",
            name=op.f("uq_memberships_user_id_group_id_role_id_department_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(op.f("ix_memberships_department_id"), "memberships", ["department_id"], unique=False)
    op.create_index(op.f("ix_memberships_group_id"), "memberships", ["group_id"], unique=False)
    op.create_index(op.f("ix_memberships_role_id"), "memberships", ["role_id"], unique=False)
    op.add_column("api_tokens", sa.Column("previous_secret_hash", sa.LargeBinary(), nullable=True))
    op.add_column("api_tokens", sa.Column("previous_expires_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "api_tokens", sa.Column("permissions", postgresql.JSONB(astext_type=sa.Text()), nullable=True)
    )
    op.add_column("api_tokens", sa.Column("departments", sa.ARRAY(sa.Uuid()), nullable=True))
    op.add_column("api_tokens", sa.Column("allowed_networks", sa.ARRAY(postgresql.CIDR()), nullable=True))
    op.add_column("api_tokens", sa.Column("created_by", sa.Uuid(), nullable=True))
    op.add_column("api_tokens", sa.Column("last_used_address", postgresql.INET(), nullable=True))
    op.create_unique_constraint(
        op.f("uq_api_tokens_previous_secret_hash"), "api_tokens", ["previous_secret_hash"]
    )
    op.create_foreign_key(
        op.f("fk_api_tokens_created_by_users"),
        "api_tokens",
        "users",
        ["created_by"],
        ["id"],
        ondelete="SET NULL",
    )
    op.add_column("device_keys", sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("device_keys", sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("devices", sa.Column("department_id", sa.Uuid(), nullable=True))
    op.create_index("ix_devices_department", "devices", ["department_id", "name", "id"], unique=False)
    op.create_foreign_key(
        op.f("fk_devices_department_id_departments"), "devices", "departments", ["department_id"], ["id"]
    )
    op.add_column("enrollment_tokens", sa.Column("department_id", sa.Uuid(), nullable=True))
    op.add_column(
        "enrollment_tokens", sa.Column("allowed_networks", sa.ARRAY(postgresql.CIDR()), nullable=True)
    )
    op.add_column("enrollment_tokens", sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        op.f("ix_enrollment_tokens_department_id"), "enrollment_tokens", ["department_id"], unique=False
    )
    op.create_foreign_key(
        op.f("fk_enrollment_tokens_department_id_departments"),
        "enrollment_tokens",
        "departments",
        ["department_id"],
        ["id"],
        ondelete="CASCADE",
    )
    op.add_column(
        "sessions", sa.Column("method", sa.String(length=20), server_default="password", nullable=False)
    )
    op.add_column(
        "sessions", sa.Column("has_second_factor", sa.Boolean(), server_default="false", nullable=False)
    )
    op.add_column("sessions", sa.Column("provider_id", sa.Uuid(), nullable=True))
    op.add_column("sessions", sa.Column("provider_tokens", sa.LargeBinary(), nullable=True))
    op.add_column("sessions", sa.Column("provider_checked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("sessions", sa.Column("provider_asked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("sessions", sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_sessions_provider_id"), "sessions", ["provider_id"], unique=False)
    op.create_foreign_key(
        op.f("fk_sessions_provider_id_identity_providers"),
        "sessions",
        "identity_providers",
        ["provider_id"],
        ["id"],
        ondelete="CASCADE",
    )
    op.add_column("users", sa.Column("password_changed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("users", sa.Column("source", sa.String(length=10), server_default="local", nullable=False))
    op.add_column("users", sa.Column("external_id", sa.String(length=255), nullable=True))
    op.add_column(
        "users",
        sa.Column(
            "scim_attributes", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
    )
    op.add_column("users", sa.Column("time_zone", sa.String(length=64), nullable=True))
    op.add_column("users", sa.Column("theme", sa.String(length=10), server_default="auto", nullable=False))
    op.create_index("ix_users_email_lower", "users", [sa.literal_column("lower(email)")], unique=False)
    op.create_index("uq_users_external_id", "users", ["external_id"], unique=True)
    op.create_index("uq_users_username_lower", "users", [sa.literal_column("lower(username)")], unique=True)
    op.create_check_constraint(op.f("ck_users_source"), "users", "source IN ('local', 'oidc', 'scim')")
    op.create_check_constraint(op.f("ck_users_theme"), "users", "theme IN ('auto', 'light', 'dark')")
    run_sql(revision)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    run_sql(revision, down=True)
    op.drop_index("uq_users_username_lower", table_name="users")
    op.drop_index("uq_users_external_id", table_name="users")
    op.drop_index("ix_users_email_lower", table_name="users")
    op.drop_column("users", "theme")
    op.drop_column("users", "time_zone")
    op.drop_column("users", "scim_attributes")
    op.drop_column("users", "external_id")
    op.drop_column("users", "source")
    op.drop_column("users", "password_changed_at")
    op.drop_constraint(op.f("fk_sessions_provider_id_identity_providers"), "sessions", type_="foreignkey")
    op.drop_index(op.f("ix_sessions_provider_id"), table_name="sessions")
    op.drop_column("sessions", "confirmed_at")
    op.drop_column("sessions", "provider_asked_at")
    op.drop_column("sessions", "provider_checked_at")
    op.drop_column("sessions", "provider_tokens")
    op.drop_column("sessions", "provider_id")
    op.drop_column("sessions", "has_second_factor")
    op.drop_column("sessions", "method")
    op.drop_constraint(
        op.f("fk_enrollment_tokens_department_id_departments"), "enrollment_tokens", type_="foreignkey"
    )
    op.drop_index(op.f("ix_enrollment_tokens_department_id"), table_name="enrollment_tokens")
    op.drop_column("enrollment_tokens", "last_used_at")
    op.drop_column("enrollment_tokens", "allowed_networks")
    op.drop_column("enrollment_tokens", "department_id")
    op.drop_constraint(op.f("fk_devices_department_id_departments"), "devices", type_="foreignkey")
    op.drop_index("ix_devices_department", table_name="devices")
    op.drop_column("devices", "department_id")
    op.drop_column("device_keys", "last_used_at")
    op.drop_column("device_keys", "expires_at")
    op.drop_constraint(op.f("fk_api_tokens_created_by_users"), "api_tokens", type_="foreignkey")
    op.drop_constraint(op.f("uq_api_tokens_previous_secret_hash"), "api_tokens", type_="unique")
    op.drop_column("api_tokens", "last_used_address")
    op.drop_column("api_tokens", "created_by")
    op.drop_column("api_tokens", "allowed_networks")
    op.drop_column("api_tokens", "departments")
    op.drop_column("api_tokens", "permissions")
    op.drop_column("api_tokens", "previous_expires_at")
    op.drop_column("api_tokens", "previous_secret_hash")
    op.drop_index(op.f("ix_memberships_role_id"), table_name="memberships")
    op.drop_index(op.f("ix_memberships_group_id"), table_name="memberships")
    op.drop_index(op.f("ix_memberships_department_id"), table_name="memberships")
    op.drop_table("memberships")
    op.drop_index(op.f("ix_group_members_user_id"), table_name="group_members")
    op.drop_table("group_members")
    op.drop_index(op.f("ix_database_readers_department_id"), table_name="database_readers")
    op.drop_table("database_readers")
    op.drop_index(op.f("ix_user_identities_user_id"), table_name="user_identities")
    op.drop_index(op.f("ix_user_identities_provider_id"), table_name="user_identities")
    op.drop_table("user_identities")
    op.drop_table("totp_devices")
    op.drop_index(op.f("ix_sign_in_challenges_user_id"), table_name="sign_in_challenges")
    op.drop_index(op.f("ix_sign_in_challenges_expires_at"), table_name="sign_in_challenges")
    op.drop_table("sign_in_challenges")
    op.drop_table("role_permissions")
    op.drop_index(op.f("ix_recovery_codes_user_id"), table_name="recovery_codes")
    op.drop_table("recovery_codes")
    op.drop_index(op.f("ix_passkeys_user_id"), table_name="passkeys")
    op.drop_table("passkeys")
    op.drop_index(op.f("ix_oidc_flows_provider_id"), table_name="oidc_flows")
    op.drop_index(op.f("ix_oidc_flows_expires_at"), table_name="oidc_flows")
    op.drop_table("oidc_flows")
    op.drop_index(op.f("ix_known_browsers_user_id"), table_name="known_browsers")
    op.drop_index(op.f("ix_known_browsers_last_used_at"), table_name="known_browsers")
    op.drop_table("known_browsers")
    op.drop_index("uq_groups_external_id", table_name="groups")
    op.drop_table("groups")
    op.drop_index(op.f("ix_departments_manager_id"), table_name="departments")
    op.drop_table("departments")
    op.drop_index(op.f("ix_sign_in_failures_failed_at"), table_name="sign_in_failures")
    op.drop_index("ix_sign_in_failures_bucket", table_name="sign_in_failures")
    op.drop_table("sign_in_failures")
    op.drop_table("roles")
    op.drop_table("installation")
    op.drop_table("identity_providers")
