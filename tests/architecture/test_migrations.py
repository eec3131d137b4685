"""The schema: it can be walked up, down and up again, and is what the models say."""

import subprocess
import sys

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import NullPool, create_engine, text

from fleetkeeper.all_models import Base
from fleetkeeper.database.engine import sqlalchemy_url
from fleetkeeper.database.migrate import _config, current_revision, migrate, newest_revision, rollback
from fleetkeeper.database.migrations.tables import is_of_models

REVISIONS = [step.revision for step in ScriptDirectory.from_config(_config()).walk_revisions()][::-1]


def leftovers(url: str) -> list[str]:
    """What stands in the schema besides Alembic's own table and the extensions."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            """
            SELECT relname FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relname !~ '^(alembic|pk)_'
              AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
            UNION ALL SELECT proname FROM pg_proc p WHERE pronamespace = 'public'::regnamespace
              AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
            UNION ALL SELECT typname FROM pg_type t WHERE typnamespace = 'public'::regnamespace
              AND typname !~ 'alembic'
              AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = coalesce(nullif(t.typelem, 0), t.oid)
                              AND d.deptype IN ('e', 'i'))
            """
        ).fetchall()
    return sorted(row[0] for row in rows if not row[0].startswith("alembic_version"))


class TestMigrations:
    def test_down_to_nothing_and_up_again(self, database_url):
        rollback(database_url, "base")
        assert current_revision(database_url) is None
        assert leftovers(database_url) == []
        migrate(database_url)
        assert current_revision(database_url) == newest_revision()

    def test_each_step_can_be_taken_back_and_again(self, database_url):
        for before, revision in zip(REVISIONS[-2::-1], REVISIONS[:0:-1], strict=True):
            rollback(database_url, "-1")
            assert current_revision(database_url) == before
            migrate(database_url, revision)
            rollback(database_url, "-1")

    def test_rollback_with_data(self, database_url):
        with psycopg.connect(database_url) as connection:
            connection.execute(
                "INSERT INTO devices (id, name, hostname) VALUES (gen_random_uuid(), 'a', 'a')"
            )
            connection.execute("INSERT INTO frames VALUES (gen_random_uuid(), now(), 1, '{1}')")
        rollback(database_url, "base")
        migrate(database_url)

    # PostgreSQL gives the expressions of computed columns back in its own words.
    @pytest.mark.filterwarnings("ignore:Computed default on")
    def test_models_equal_the_schema(self, database_url):
        engine = create_engine(sqlalchemy_url(database_url), poolclass=NullPool)
        with engine.connect() as connection:
            context = MigrationContext.configure(
                connection,
                opts={
                    "compare_type": True,
                    "compare_server_default": True,
                    "include_name": lambda name, kind, _: kind != "table" or is_of_models(name),
                },
            )
            assert compare_metadata(context, Base.metadata) == []

    def test_comparison_notices_a_difference(self, database_url):
        engine = create_engine(sqlalchemy_url(database_url), poolclass=NullPool)
        with engine.connect() as connection:
            connection.execute(text("ALTER TABLE devices DROP COLUMN kernel"))
            context = MigrationContext.configure(
                connection, opts={"include_name": lambda name, kind, _: kind != "table" or is_of_models(name)}
            )
            (difference,) = compare_metadata(context, Base.metadata)
            assert difference[:3] == ("add_column", None, "devices")

    def test_processes_that_start_at_once(self, database_url):
        rollback(database_url, "base")
        program = "import sys; from fleetkeeper.database.migrate import migrate; migrate(sys.argv[1])"
        processes = [subprocess.Popen([sys.executable, "-c", program, database_url]) for _ in range(3)]
        assert [process.wait(60) for process in processes] == [0, 0, 0]
        assert current_revision(database_url) == newest_revision()
