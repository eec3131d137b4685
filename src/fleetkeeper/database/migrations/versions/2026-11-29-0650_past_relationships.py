"""Readers of SQL see past relationships of devices only where they see both."""

from alembic import op

from fleetkeeper.database.migrations.running import run_sql

revision = "0071"
down_revision = "0070"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    run_sql(revision)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    run_sql(revision, down=True)
