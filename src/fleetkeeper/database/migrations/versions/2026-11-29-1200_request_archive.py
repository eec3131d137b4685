"""Device requests that ended long ago are in files, and what lists know of them in a table."""

from alembic import op

from fleetkeeper.database.migrations.running import run_sql

revision = "0074"
down_revision = "0073"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    run_sql(revision)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    run_sql(revision, down=True)
