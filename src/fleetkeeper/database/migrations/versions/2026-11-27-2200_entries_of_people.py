"""What people did is found without reading what machines did.

The version before this one must keep working against the changed schema: add first, remove a release later.
"""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        "CREATE INDEX ix_audit_log_people ON audit_log (id) "
        "WHERE actor_kind IN ('user', 'token', 'command', 'database', 'anonymous')"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP INDEX ix_audit_log_people")
