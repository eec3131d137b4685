"""Built-in roles are described in plain words.

The version before this one must keep working against the changed schema: add first, remove a release later.
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

DESCRIPTIONS = {
    "admin": "Full access.",
    "analyst": "Views devices, telemetry and the audit log.",
    "data_collector": "Sends telemetry. For tokens of collectors.",
    "manager": "Runs a department: its devices, its people and its audit log.",
    "operator": "Manages and enrolls devices, as a technician does.",
    "viewer": "Views devices and telemetry.",
}
STATEMENT = sa.text("UPDATE roles SET description = :description WHERE name = :name AND is_builtin")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for name, description in DESCRIPTIONS.items():
        op.get_bind().execute(STATEMENT, {"name": name, "description": description})


def downgrade() -> None:
    """The words stay: they say the same."""
