"""Orders with their items, receipts and history, work orders, and the views of document 001."""

from alembic import op

from fleetkeeper.database.migrations.running import run_sql

revision = "0070"
down_revision = "0069"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    run_sql(revision)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    run_sql(revision, down=True)
