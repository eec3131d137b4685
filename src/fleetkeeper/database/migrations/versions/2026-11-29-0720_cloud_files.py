"""Files of device requests and responses, and the stores that they are copied to.

The version before this one must keep working against the changed schema: add first, remove a release later.
"""

from alembic import op

from fleetkeeper.database.migrations.running import run_sql

revision = "0072"
down_revision = "0071"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    run_sql(revision)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    run_sql(revision, down=True)
