"""Row security and grants: what each role of the database sees and may change, asked with SQL."""

from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import errors

from fleetkeeper.database.context import NOBODY, TransactionContext, product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.database.logins import with_login
from fleetkeeper.database.readers import grant_reader, revoke_reader
from fleetkeeper.errors import StartupError

BY_COMMAND = product_context("command", "test")
APP_ROLES = ("fleetkeeper_app", "fleetkeeper_whole_fleet")
# What the sealer, the archiver and those who measure and count alone write, which see the whole fleet.
SEALERS = {
    "archive_files",
    "archive_parts",
    "archived_requests",
    "chunks",
    "cloud_file_removals",
    "hourly_statistics",
    "intake_minutes",
    "raw_removed",
    "refused_samples",
    "request_archives",
    "rollup_changes",
    "rollups",
    "space_channels",
    "space_devices",
    "space_groups",
    "space_totals",
    "states",
}
# Tables that the owner or the audit log's keeper alone writes.
READ_ONLY = {
    # Its quantities are the sums of movements; other columns may be written.
    "inventory",
    # Kept by triggers.
    "part_prices",
    # Locked, never written.
    "identity_turns",
    "alert_rule_versions",
    "alembic_version",
    "audit_archives",
    "audit_epochs",
    "audit_log",
    "audit_seals",
    "device_revisions",
    "sender_mapping",
    "snapshot_fields",
}
SECRETS = {
    "api_tokens": "secret_hash",
    "cloud_stores": "secret_sealed",
    "cloud_file_refs": "upload_sealed",
    "device_keys": "secret_hash",
    "enrollment_tokens": "secret_hash",
    "identity_providers": "client_secret_sealed",
    "notification_channels": "secret_sealed",
    "passkeys": "public_key",
    "recovery_codes": "code_hash",
    "sessions": "secret_hash",
    "totp_devices": "secret_sealed",
    "users": "password_hash",
}


class Organisation:
    """Departments North, with Harbour below it, and South; a device in each and one of nobody."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.north, self.harbour, self.south = uuid4(), uuid4(), uuid4()
        connection.execute(
            "INSERT INTO departments (id, name, parent_id) "
            "VALUES (%s, 'North', NULL), (%s, 'Harbour', %s), (%s, 'South', NULL)",
            (self.north, self.harbour, self.north, self.south),
        )
        self.devices = {}
        for name, department in (
            ("n1", self.north),
            ("h1", self.harbour),
            ("s1", self.south),
            ("nobody", None),
        ):
            self.devices[name] = uuid4()
            connection.execute(
                "INSERT INTO devices (id, name, hostname, department_id) VALUES (%s, %s, %s, %s)",
                (self.devices[name], name, name, department),
            )
            connection.execute("INSERT INTO frames VALUES (%s, now(), 1, '{1}')", (self.devices[name],))
            connection.execute("INSERT INTO latest VALUES (%s, now(), 1, '{1}')", (self.devices[name],))


@pytest.fixture
def organisation(connection) -> Organisation:
    return Organisation(connection)


async def ask(url: str, context: TransactionContext, statement: str, *arguments) -> list:
    """What a transaction of the application with that context gets for a statement."""
    database = Database(url, pool_size=1)
    try:
        async with database.session(context) as session:
            driver = (await (await session.connection()).get_raw_connection()).driver_connection
            cursor = await driver.execute(statement, arguments)
            return [row[0] for row in await cursor.fetchall()] if cursor.description else [cursor.rowcount]
    finally:
        await database.close()


def of_departments(*departments: UUID, changeable: tuple[UUID, ...] = ()) -> TransactionContext:
    return TransactionContext(
        departments=frozenset(departments), changeable_departments=frozenset(changeable)
    )


class TestApplicationRole:
    def test_owns_nothing_and_bypasses_nothing(self, connection):
        for role in APP_ROLES:
            attributes = connection.execute(
                "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication "
                "FROM pg_roles WHERE rolname = %s",
                (role,),
            ).fetchone()
            assert attributes == (False,) * 5
            owned = connection.execute(
                "SELECT count(*) FROM pg_shdepend WHERE refobjid = %s::regrole AND deptype = 'o'", (role,)
            ).fetchone()
            assert owned == (0,)

    def test_each_table_is_granted_on_purpose(self, connection):
        """A new table needs its grants in a migration."""
        rows = connection.execute(
            """
            SELECT c.relname, r.role, has_table_privilege(r.role, c.oid, 'SELECT'),
                   has_table_privilege(r.role, c.oid, 'INSERT')
            FROM pg_class c, unnest(%s::text[]) AS r(role)
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
            """,
            (list(APP_ROLES),),
        ).fetchall()
        for table, role, reads, writes in rows:
            assert reads, f"{role} may not read {table}"
            read_only = READ_ONLY | SEALERS if role == APP_ROLES[0] else READ_ONLY
            assert writes == (table not in read_only), f"{role} on {table}"

    def test_what_hangs_off_a_device_has_row_security(self, connection):
        rows = connection.execute(
            """
            SELECT c.relname, c.relrowsecurity FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
              AND (a.attname = 'device_id' OR c.relname = 'devices') GROUP BY c.oid
            """
        ).fetchall()
        assert len(rows) >= 12
        assert [name for name, secured in rows if not secured] == []

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE audit_log SET action = 'x'",
            "DELETE FROM audit_log",
            "INSERT INTO audit_log (action, actor_kind, actor_name, resource_type) VALUES ('x', 'user', 'x', 'x')",
            "TRUNCATE audit_log",
            "UPDATE audit_seals SET entries = 0",
            "DELETE FROM audit_seals",
            "ALTER TABLE devices DISABLE ROW LEVEL SECURITY",
            "DROP TABLE devices",
            "CREATE TABLE mine (id int)",
            "ALTER ROLE fleetkeeper_app SUPERUSER",
            "SET ROLE fleetkeeper",
            "SELECT pg_read_file('/etc/passwd')",
            "COPY devices TO PROGRAM 'cat'",
            "SET session_replication_role = replica",
        ],
    )
    async def test_may_not(self, app_url, organisation, statement):
        with pytest.raises(errors.InsufficientPrivilege):
            await ask(app_url, BY_COMMAND, statement)

    async def test_partitions_cannot_be_read_around_the_policy(self, app_url, connection, organisation):
        (partition,) = connection.execute("SELECT tableoid::regclass::text FROM frames LIMIT 1").fetchone()
        for context in (NOBODY, BY_COMMAND):
            with pytest.raises(errors.InsufficientPrivilege):
                await ask(app_url, context, f"SELECT 1 FROM {partition}")


class TestDepartments:
    async def test_without_a_context_there_are_no_devices(self, app_url, organisation):
        for table in ("devices", "frames", "latest", "device_vitals", "telemetry", "metrics_snapshot"):
            assert await ask(app_url, NOBODY, f"SELECT count(*) FROM {table}") == [0], table

    async def test_the_whole_fleet(self, app_url, organisation):
        assert await ask(app_url, BY_COMMAND, "SELECT count(*) FROM devices") == [4]
        assert await ask(app_url, BY_COMMAND, "SELECT count(*) FROM frames") == [4]

    async def test_only_the_departments_of_the_transaction(self, app_url, organisation):
        context = of_departments(organisation.north, organisation.harbour)
        assert set(await ask(app_url, context, "SELECT name FROM devices")) == {"n1", "h1"}
        for table in ("frames", "latest", "device_vitals"):
            seen = await ask(app_url, context, f"SELECT device_id FROM {table}")
            assert set(seen) == {organisation.devices["n1"], organisation.devices["h1"]}, table

    async def test_reading_is_not_changing(self, app_url, organisation):
        context = of_departments(organisation.north, organisation.harbour, changeable=(organisation.harbour,))
        changed = await ask(app_url, context, "UPDATE devices SET location = 'x' RETURNING name")
        assert changed == ["h1"]
        assert await ask(app_url, context, "DELETE FROM devices WHERE name = 'n1' RETURNING name") == []

    async def test_a_device_cannot_be_pushed_into_another_department(self, app_url, organisation):
        context = of_departments(organisation.harbour, changeable=(organisation.harbour,))
        with pytest.raises(errors.InsufficientPrivilege):
            await ask(app_url, context, "UPDATE devices SET department_id = %s", organisation.south)

    async def test_a_device_cannot_be_made_in_another_department(self, app_url, organisation):
        context = of_departments(organisation.harbour, changeable=(organisation.harbour,))
        insert = (
            "INSERT INTO devices (id, name, hostname, department_id) VALUES (gen_random_uuid(), 'x', 'x', %s)"
        )
        assert await ask(app_url, context, insert, organisation.harbour) == [1]
        with pytest.raises(errors.InsufficientPrivilege):
            await ask(app_url, context, insert, organisation.south)

    async def test_the_setting_ends_with_its_transaction(self, app_url, organisation):
        database = Database(app_url, pool_size=1)
        try:
            async with database.session(BY_COMMAND) as session:
                assert await _count(session) == 4
            async with database.session() as session:
                assert await _count(session) == 0
            async with database.session(of_departments(organisation.south)) as session:
                assert await _count(session) == 1
        finally:
            await database.close()


async def _count(session) -> int:
    return (await (await session.connection()).exec_driver_sql("SELECT count(*) FROM devices")).scalar()


async def test_a_secured_table_shows_and_takes_the_rows_of_the_departments(connection, app_url, organisation):
    connection.execute("CREATE TABLE things (id int, department_id uuid)")
    try:
        connection.execute("SELECT secure_table('things')")
        rows = ((1, organisation.north), (2, organisation.south), (3, None))
        for row in rows:
            connection.execute("INSERT INTO things VALUES (%s, %s)", row)
        # Devices may be seen elsewhere, or nowhere.
        north = TransactionContext(
            departments=frozenset({organisation.south}), acting_departments=frozenset({organisation.north})
        )
        seen = "SELECT id FROM things ORDER BY id"
        assert await ask(app_url, north, seen) == [1]
        assert await ask(app_url, NOBODY, seen) == []
        for whole in (BY_COMMAND, TransactionContext(acts_everywhere=True)):
            assert await ask(app_url, whole, seen) == [1, 2, 3]
        assert await ask(app_url, north, "DELETE FROM things WHERE id > 1") == [0]
        with pytest.raises(errors.InsufficientPrivilege):
            await ask(app_url, north, "UPDATE things SET department_id = NULL")
    finally:
        connection.execute("DROP TABLE things")


@pytest.fixture
def reader(database_url, organisation):
    """Makes a reader and gives a connection of it; its login goes after the test."""
    made: list[tuple[str, psycopg.Connection]] = []

    def make(role: str, department: UUID | None) -> psycopg.Connection:
        login = f"reader_{uuid4().hex[:12]}"
        password = grant_reader(database_url, login, role, department and str(department), BY_COMMAND)
        made.append((login, psycopg.connect(with_login(database_url, login, password), autocommit=True)))
        return made[-1][1]

    yield make
    for login, connection in made:
        connection.close()
        revoke_reader(database_url, login, BY_COMMAND)


class TestReaders:
    @pytest.mark.parametrize("role", ["dashboard_readonly", "analyst"])
    def test_sees_its_department_and_all_below(self, reader, organisation, role):
        connection = reader(role, organisation.north)
        names = {row[0] for row in connection.execute("SELECT name FROM devices")}
        assert names == {"n1", "h1"}
        seen = {row[0] for row in connection.execute("SELECT device_id FROM frames")}
        assert seen == {organisation.devices["n1"], organisation.devices["h1"]}
        assert {row[0] for row in connection.execute("SELECT hostname FROM systems")} == {"n1", "h1"}

    def test_no_setting_widens_it(self, reader, organisation):
        connection = reader("dashboard_readonly", organisation.north)
        for statement in (
            f"SET fleetkeeper.departments = '{organisation.south}'",
            'SET fleetkeeper.audit = \'{"kind": "job"}\'',
            "SET row_security = off",
        ):
            connection.execute(statement)
        with pytest.raises(errors.InsufficientPrivilege):  # row_security = off makes an error of it
            connection.execute("SELECT name FROM devices")
        connection.execute("SET row_security = on")
        assert {row[0] for row in connection.execute("SELECT name FROM devices")} == {"n1", "h1"}
        for role in (*APP_ROLES, "fleetkeeper"):
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(f"SET ROLE {role}")

    def test_past_relationships_tell_of_no_device_that_it_does_not_see(
        self, reader, organisation, connection
    ):
        ends = organisation.devices["n1"], organisation.devices["s1"]
        connection.execute(
            "INSERT INTO device_relationships (id, parent_device_id, child_device_id, relationship_type) "
            "VALUES (gen_random_uuid(), %s, %s, 'connects_to')",
            ends,
        )
        told = "SELECT count(*) FROM device_revisions WHERE object_type = 'device_relationships'"
        assert reader("analyst", organisation.north).execute(told).fetchone() == (0,)
        assert reader("analyst", None).execute(told).fetchone()[0] > 0

    def test_files_of_requests_are_those_of_its_departments(self, reader, organisation, connection):
        for name in ("n1", "s1"):
            connection.execute(
                "WITH made AS (INSERT INTO device_requests (id, device_id, request_type) "
                "VALUES (gen_random_uuid(), %s, 'x') RETURNING id) "
                "INSERT INTO cloud_file_refs (id, request_id, store_id, name, cloud_provider, cloud_path, "
                "file_size_bytes, sha256) "
                "SELECT gen_random_uuid(), made.id, s.id, %s, 'local', 'x', 1, repeat('0', 64) "
                "FROM made, cloud_stores s",
                (organisation.devices[name], name),
            )
        seen = "SELECT name FROM cloud_file_refs WHERE sync_status = 'pending' AND cloud_provider = 'local'"
        analyst = reader("analyst", organisation.north)
        assert analyst.execute(seen).fetchall() == [("n1",)]
        assert len(reader("dashboard_readonly", None).execute(seen).fetchall()) == 2
        for statement in ("SELECT upload_sealed FROM cloud_file_refs", "SELECT 1 FROM cloud_stores"):
            with pytest.raises(errors.InsufficientPrivilege):
                analyst.execute(statement)

    def test_stock_and_orders_are_those_of_its_departments(self, reader, organisation, connection):
        for department in (organisation.north, organisation.south):
            values = {"department": department}
            (part,) = connection.execute(
                "INSERT INTO parts (id, part_code, name, department_id) "
                "VALUES (gen_random_uuid(), 'RAM', 'Memory', %(department)s) RETURNING id",
                values,
            ).fetchone()
            (place,) = connection.execute(
                "INSERT INTO locations (id, name, department_id) "
                "VALUES (gen_random_uuid(), %(department)s::text, %(department)s) RETURNING id",
                values,
            ).fetchone()
            connection.execute(
                "INSERT INTO stock_movements (id, kind, part_id, location_id, quantity) "
                "VALUES (gen_random_uuid(), 'receipt', %s, %s, 3)",
                (part, place),
            )
            connection.execute(
                "INSERT INTO orders (id, number, department_id) "
                "VALUES (gen_random_uuid(), %(department)s::text, %(department)s)",
                values,
            )
        for view in ("parts", "inventory", "stock_levels", "stock_movements", "orders"):
            asked = f"SELECT count(*) FROM {view}"
            assert reader("analyst", organisation.north).execute(asked).fetchone() == (1,), view
            assert reader("dashboard_readonly", None).execute(asked).fetchone() == (2,), view
        assert reader("analyst", organisation.north).execute("SELECT * FROM order_approvals").fetchall() == []

    def test_without_a_department_it_sees_all(self, reader):
        assert reader("analyst", None).execute("SELECT count(*) FROM devices").fetchone() == (4,)

    def test_sees_nothing_once_its_department_is_gone(self, reader, organisation, connection):
        reading = reader("analyst", organisation.south)
        connection.execute(
            "UPDATE devices SET department_id = NULL WHERE department_id = %s", (organisation.south,)
        )
        connection.execute("DELETE FROM departments WHERE id = %s", (organisation.south,))
        assert reading.execute("SELECT count(*) FROM devices").fetchone() == (0,)

    @pytest.mark.parametrize("role", ["dashboard_readonly", "analyst", "data_collector"])
    def test_reads_no_secret_and_no_audit_log(self, reader, role):
        connection = reader(role, None)
        for table, column in (*SECRETS.items(), ("audit_log", "details"), ("database_readers", "login")):
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(f"SELECT {column} FROM {table}")

    @pytest.mark.parametrize("role", ["dashboard_readonly", "analyst"])
    def test_changes_nothing(self, reader, role):
        connection = reader(role, None)
        for statement in (
            "UPDATE devices SET name = 'x'",
            "DELETE FROM frames",
            "INSERT INTO config VALUES ('x', '{}')",
            "CREATE TABLE mine (id int)",
        ):
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(statement)

    def test_collector_inserts_and_knows_the_systems_alone(self, reader, organisation):
        connection = reader("data_collector", organisation.north)
        assert {row[0] for row in connection.execute("SELECT hostname FROM systems")} == {"n1", "h1"}
        insert = (
            "INSERT INTO user_sessions (session_id, device_id, username, login_time) "
            "VALUES (gen_random_uuid(), %s, 'maria', now())"
        )
        connection.execute(insert, (organisation.devices["h1"],))
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(insert, (organisation.devices["s1"],))
        for statement in ("SELECT 1 FROM user_sessions", "SELECT 1 FROM devices", "SELECT 1 FROM frames"):
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(statement)

    def test_again_changes_its_limits_and_password(self, database_url, reader, organisation):
        first = reader("analyst", None)
        login = first.execute("SELECT session_user").fetchone()[0]
        password = grant_reader(
            database_url, login, "dashboard_readonly", str(organisation.south), BY_COMMAND
        )
        with psycopg.connect(with_login(database_url, login, password)) as second:
            assert [row[0] for row in second.execute("SELECT name FROM devices")] == ["s1"]
            assert second.execute("SELECT pg_has_role(session_user, 'analyst', 'MEMBER')").fetchone() == (
                False,
            )

    @pytest.mark.parametrize(
        "login", ["postgres; DROP", "Grafana", "pg_reader", "fleetkeeper_app", "x" * 64, ""]
    )
    def test_a_name_that_is_none_is_refused(self, database_url, login):
        with pytest.raises(StartupError):
            grant_reader(database_url, login, "analyst", None, BY_COMMAND)

    def test_a_role_of_somebody_else_is_not_taken_over(self, database_url, connection):
        name = f"other_{uuid4().hex[:8]}"
        connection.execute(f"CREATE ROLE {name}")
        try:
            with pytest.raises(StartupError, match="is no reader"):
                grant_reader(database_url, name, "analyst", None, BY_COMMAND)
        finally:
            connection.execute(f"DROP ROLE {name}")

    def test_the_password_stands_in_no_statement(self, database_url, connection):
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        login = f"reader_{uuid4().hex[:12]}"
        password = grant_reader(database_url, login, "analyst", None, BY_COMMAND)
        revoke_reader(database_url, login, BY_COMMAND)
        found = connection.execute(
            "SELECT count(*) FROM pg_stat_statements WHERE query LIKE %s", (f"%{password}%",)
        ).fetchone()
        assert found == (0,)
