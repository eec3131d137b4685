"""Alembic's environment: one transaction per migration, one migrator at a time."""

from alembic import context
from sqlalchemy import text

from fleetkeeper.database.migrations.tables import is_of_models


def include_name(name: str | None, kind: str, _parents: object) -> bool:
    """Leave out of the comparison what the models do not own."""
    return kind != "table" or is_of_models(name)


connection = context.config.attributes["connection"]
metadata = context.config.attributes.get("metadata")
# Two processes that start at once migrate one after the other.
connection.execute(text("SELECT pg_advisory_lock(hashtext('fleetkeeper.migrations'))"))
connection.commit()
try:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_name=include_name,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
finally:
    connection.rollback()
    connection.execute(text("SELECT pg_advisory_unlock(hashtext('fleetkeeper.migrations'))"))
    connection.commit()
