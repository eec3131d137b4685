"""How far a device's clock is off, and how often it reports, beside its vital signs.

The version before this one must keep working against the changed schema: add first, remove a release later.
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

COLUMNS = ("clock_skew_seconds", "report_interval_seconds")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for column in COLUMNS:
        op.add_column("device_vitals", sa.Column(column, sa.REAL(), nullable=True))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for column in COLUMNS:
        op.drop_column("device_vitals", column)
