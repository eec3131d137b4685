"""The documents' views of telemetry: `telemetry` (000) and `metrics_snapshot` (004).

The version before this one must keep working against the changed schema: add first, remove a release later.
"""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.get_bind().exec_driver_sql((SQL / "0003_telemetry_views.sql").read_text().replace("%", "%%"))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP VIEW telemetry, metrics_snapshot")
    op.execute("DROP FUNCTION snapshot_of_frame(integer, double precision[], timestamptz, text)")
    op.execute("DROP TABLE snapshot_fields")
