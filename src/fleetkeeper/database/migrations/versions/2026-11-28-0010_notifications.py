"""People are told what happens: events, channels, rules, deliveries, inboxes and preferences.

The version before this one must keep working against the changed schema: add first, remove a release later.
"""

from pathlib import Path

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    run_file("0033_notifications.sql")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    run_file("0033_notifications_down.sql")


def run_file(name: str) -> None:
    """Run a file of statements as it stands; the driver would read a percent sign as a parameter."""
    op.get_bind().exec_driver_sql((SQL / name).read_text().replace("%", "%%"))
