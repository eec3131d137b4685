"""What senders call a channel is kept, so that two names never become one.

The version before this one must keep working against the changed schema: add first, remove a release later.
"""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE channels ADD COLUMN sent_as text")
    # Without a home a channel stands in whole frames only, whose names are their own.
    op.execute("UPDATE channels SET sent_as = '' WHERE home_layout_id IS NULL")
    op.execute("ALTER TABLE device_layouts ADD COLUMN sent_as jsonb")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE device_layouts DROP COLUMN sent_as")
    op.execute("ALTER TABLE channels DROP COLUMN sent_as")
