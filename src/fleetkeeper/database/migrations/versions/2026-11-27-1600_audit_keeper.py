"""The audit log is kept by a role of its own, and tells of more columns.

A worker of the version before this one goes on with all but sealing and archiving, which wait for the new worker.
"""

from alembic import op

from fleetkeeper.database.migrations.running import run_sql

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    run_sql(revision)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    run_sql(revision, down=True)
