"""Runs of jobs are kept: who asked, how far they are, how they ended.

The version before this one must keep working against the changed schema: add first, remove a release later.
"""

from pathlib import Path

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    run_file("0030_job_runs.sql")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP TABLE job_runs")


def run_file(name: str) -> None:
    """Run a file of statements as it stands; the driver would read a percent sign as a parameter."""
    op.get_bind().exec_driver_sql((SQL / name).read_text().replace("%", "%%"))
