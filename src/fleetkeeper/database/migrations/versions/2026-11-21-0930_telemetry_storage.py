"""Partitions of frames, the documents' partition functions, and the queue of jobs.

The version before this one must keep working against the changed schema: add first, remove a release later.
"""

from alembic import op
from procrastinate.schema import SchemaManager

from fleetkeeper.database.migrations.running import run_sql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    run_sql(revision)
    op.get_bind().exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    run_sql(revision, down=True)
