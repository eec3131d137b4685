"""Runs of jobs are kept: who asked, how far they are, how they ended.

The version before this one must keep working against the changed schema: add first, remove a release later.
"""

from alembic import op

from fleetkeeper.database.migrations.running import run_sql

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    run_sql(revision)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP TABLE job_runs")
