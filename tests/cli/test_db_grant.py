"""`fleetkeeper db grant|revoke|readers`: logins for psql, Grafana and notebooks, tried with plain connections."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors

from tests.fixtures.product import Product

ROLES = ("analyst", "dashboard_readonly", "data_collector")


@dataclass
class Halves:
    """Two departments with a device each, besides whatever other tests have made."""

    product: Product
    mark: str
    north_device: str
    south_device: str

    def grant(self, *arguments: str) -> tuple[str, str]:
        """Make a reader; its name and its URL."""
        login = f"r{uuid4().hex[:12]}"
        outcome = self.product.command("db", "grant", login, *arguments)
        assert outcome.returncode == 0, outcome.stderr
        assert outcome.stdout.count("\n") == 1
        return login, outcome.stdout.strip()


@pytest.fixture
def halves(product: Product) -> Iterator[Halves]:
    mark = f"d{uuid4().hex[:10]}"
    (north, _), (south, _) = product.enroll(f"{mark}-north", f"{mark}-south")
    for name in ("North", "South"):
        outcome = product.command("department", "create", f"{mark}{name}")
        assert outcome.returncode == 0, outcome.stderr
    made = product.command("department", "create", "Harbour", "--parent", f"{mark}North")
    assert made.returncode == 0, made.stderr
    with psycopg.connect(product.database_url, autocommit=True) as connection:
        for device, name in ((north, "Harbour"), (south, f"{mark}South")):
            connection.execute(
                "UPDATE devices SET department_id = (SELECT d.id FROM departments d LEFT JOIN departments p "
                "ON p.id = d.parent_id WHERE d.name = %s AND coalesce(p.name, d.name) LIKE %s) WHERE id = %s",
                (name, f"{mark}%", device),
            )
        connection.execute(
            "INSERT INTO user_sessions (session_id, device_id, username, login_time) "
            "SELECT gen_random_uuid(), id, 'somebody', now() FROM devices WHERE id = ANY(%s)",
            ([north, south],),
        )
        yield Halves(product, mark, north, south)
        logins = connection.execute("SELECT login FROM database_readers").fetchall()
    for (login,) in logins:
        assert product.command("db", "revoke", login).returncode == 0


def devices(url: str, mark: str, table: str = "devices") -> set[str]:
    column = {"devices": "name", "systems": "hostname"}[table]
    with psycopg.connect(url) as connection:
        rows = connection.execute(f"SELECT {column} FROM {table} WHERE {column} LIKE %s", (f"{mark}-%",))
        return {row[0].removeprefix(f"{mark}-") for row in rows}


class TestGrants:
    @pytest.mark.parametrize("role", ["analyst", "dashboard_readonly"])
    def test_of_one_department_with_those_below(self, halves, role):
        _, url = halves.grant("--role", role, "--department", f"{halves.mark}North")
        assert devices(url, halves.mark) == {"north"}
        assert devices(url, halves.mark, "systems") == {"north"}
        with psycopg.connect(url, autocommit=True) as connection:
            seen = connection.execute("SELECT DISTINCT device_id::text FROM user_sessions").fetchall()
            assert seen == [(halves.north_device,)]
            assert connection.execute("SELECT count(*) FROM devices").fetchone() == (1,)
            # Nobody's account, and of departments one's own.
            assert connection.execute("SELECT count(username) FROM users").fetchone() == (0,)
            assert connection.execute("SELECT count(*) FROM memberships").fetchone() == (0,)
            names = {row[0] for row in connection.execute("SELECT name FROM departments")}
            assert names == {f"{halves.mark}North", "Harbour"}
            for statement in (
                f"SET fleetkeeper.departments = '{uuid4()}'",
                "SET session_authorization = 'fleetkeeper'",
                "SET ROLE fleetkeeper_whole_fleet",
                "SET ROLE fleetkeeper_app",
            ):
                try:
                    connection.execute(statement)
                except errors.InsufficientPrivilege:
                    continue
                assert connection.execute("SELECT count(*) FROM devices").fetchone() == (1,), statement

    def test_of_all(self, halves):
        _, url = halves.grant()
        assert devices(url, halves.mark) == {"north", "south"}
        with psycopg.connect(url) as connection:
            assert connection.execute(
                "SELECT count(*) > 0 FROM users WHERE username = 'admin'"
            ).fetchone() == (True,)

    def test_of_a_collector(self, halves):
        """INSERT on user_sessions and SELECT on systems, and nothing else at all."""
        _, url = halves.grant("--role", "data_collector", "--department", f"{halves.mark}North")
        assert devices(url, halves.mark, "systems") == {"north"}
        insert = (
            "INSERT INTO user_sessions (session_id, device_id, username, login_time) "
            "VALUES (gen_random_uuid(), %s, 'maria', now())"
        )
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(insert, (halves.north_device,))
            for device in (halves.south_device, str(uuid4())):
                with pytest.raises(errors.InsufficientPrivilege):
                    connection.execute(insert, (device,))

    @pytest.mark.parametrize("role", ROLES)
    def test_are_exactly_these(self, halves, role):
        """Table by table, column by column, what the role may do."""
        _, url = halves.grant("--role", role)
        with psycopg.connect(url) as connection:
            rows = connection.execute(
                """
                SELECT c.relname::text, privilege
                FROM pg_class c, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES',
                                              'TRIGGER']) privilege
                WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
                  AND c.relname !~ '^(frames|process_snapshots|audit_log)_[0-9d]' AND c.relname !~ '^pg_stat'
                  AND has_table_privilege(c.oid, privilege)
                """
            ).fetchall()
            held = {privilege: {name for name, other in rows if other == privilege} for _, privilege in rows}
            columns = connection.execute(
                "SELECT attname::text FROM pg_attribute WHERE attrelid = 'users'::regclass AND attnum > 0 "
                "AND has_column_privilege('users', attnum, 'SELECT')"
            ).fetchall()
            no_create = connection.execute(
                "SELECT has_schema_privilege('public', 'CREATE'), has_database_privilege(current_database(), 'CREATE')"
            ).fetchone()
        assert no_create == (False, False)
        if role == "data_collector":
            assert held == {"INSERT": {"user_sessions"}, "SELECT": {"systems"}}
            assert columns == []
            return
        assert held.keys() == {"SELECT"}
        assert {"devices", "frames", "latest", "metrics", "systems", "telemetry", "user_sessions"} <= held[
            "SELECT"
        ]
        never = {
            "alembic_version", "api_tokens", "audit_archives", "audit_log", "audit_logs", "audit_seals",
            "database_readers", "device_keys", "enrollment_tokens", "identity_providers", "installation",
            "known_browsers", "oidc_flows", "passkeys", "procrastinate_jobs", "recovery_codes", "sessions",
            "sign_in_challenges", "sign_in_failures", "totp_devices", "user_identities", "users",
        }  # fmt: skip
        assert not held["SELECT"] & never
        assert not {name for (name,) in columns} & {"password_hash", "scim_attributes", "external_id"}
        assert {"id", "username"} <= {name for (name,) in columns}

    def test_no_reader_leaves_its_part_by_a_partition_or_a_function(self, halves):
        _, url = halves.grant("--department", f"{halves.mark}North")
        with psycopg.connect(url, autocommit=True) as connection:
            partitions = connection.execute(
                "SELECT inhrelid::regclass::text FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid "
                "WHERE c.relkind IN ('r', 'p')"
            ).fetchall()
            assert partitions
            for (name,) in partitions:
                with pytest.raises(errors.InsufficientPrivilege):
                    connection.execute(f"SELECT 1 FROM {name}")
            # What runs as its owner and is open to all sees no more than the reader does, or changes nothing.
            mighty = connection.execute(
                "SELECT p.proname::text FROM pg_proc p WHERE p.prosecdef AND p.pronamespace = 'public'::regnamespace "
                "AND has_function_privilege(p.oid, 'EXECUTE') AND p.prorettype <> 'trigger'::regtype"
            ).fetchall()
            assert {name for (name,) in mighty} <= {
                "reader_sees_all",
                "reader_departments",
                "reader_sees_device",
            }
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute("SELECT pg_read_file('/etc/passwd')")
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute("COPY (SELECT 1) TO PROGRAM 'true'")


class TestLogins:
    def test_the_password_is_shown_once_and_kept_nowhere(self, halves):
        login, url = halves.grant()
        password = urlsplit(url).password
        assert len(password) >= 22
        listed = json.loads(halves.product.command("db", "readers", "--json").stdout)
        (own,) = [one for one in listed if one["login"] == login]
        assert own.keys() == {"login", "role", "department", "created_at"}
        assert (own["role"], own["department"]) == ("dashboard_readonly", "all")
        assert password not in json.dumps(listed)
        with psycopg.connect(halves.product.database_url) as connection:
            found = connection.execute(
                "SELECT (SELECT count(*) FROM pg_stat_statements WHERE position(%(p)s in query) > 0), "
                "(SELECT count(*) FROM audit_log l WHERE position(%(p)s in to_jsonb(l)::text) > 0), "
                "(SELECT rolpassword FROM pg_authid WHERE rolname = %(login)s)",
                {"p": password, "login": login},
            ).fetchone()
            who = connection.execute(
                "SELECT actor_kind FROM audit_log WHERE resource_type = 'database_readers' AND record_name = %s",
                (login,),
            ).fetchall()
        assert found[:2] == (0, 0)
        assert found[2].startswith("SCRAM-SHA-256$")
        assert who == [("command",)]

    def test_again_gives_a_new_password_and_new_limits(self, halves):
        login, old = halves.grant("--role", "analyst")
        again = halves.product.command(
            "db",
            "grant",
            login,
            "--role",
            "dashboard_readonly",
            "--department",
            f"{halves.mark}South",
            "--json",
        )
        said = json.loads(again.stdout)
        assert (said["login"], said["role"]) == (login, "dashboard_readonly")
        assert devices(said["url"], halves.mark) == {"south"}
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(old)

    def test_revoking_ends_open_connections(self, halves):
        login, url = halves.grant()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SELECT 1")
            assert halves.product.command("db", "revoke", login).returncode == 0
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url)
        again = halves.product.command("db", "revoke", login)
        assert again.returncode == 1
        assert f"no reader '{login}'" in again.stderr

    def test_a_department_that_is_gone_shows_nothing(self, halves):
        _, url = halves.grant("--department", f"{halves.mark}South")
        with psycopg.connect(halves.product.database_url, autocommit=True) as connection:
            connection.execute(
                "UPDATE devices SET department_id = NULL WHERE id = %s", (halves.south_device,)
            )
            connection.execute("DELETE FROM departments WHERE name = %s", (f"{halves.mark}South",))
        assert devices(url, halves.mark) == set()

    @pytest.mark.parametrize(
        "login",
        [
            "x; DROP ROLE fleetkeeper_app",
            'x" SUPERUSER; --',
            "x' OR '1'='1",
            "Grafana",
            "grafana\n",
            "postgres\x1b[31m",
            "pg_monitor",
            "fleetkeeper",
            "fleetkeeper_app",
            "fleetkeeper_whole_fleet",
            "analyst",
            "data_collector",
            "x" * 64,
            "gräfin",
            "",
        ],
    )
    def test_a_name_that_is_none(self, product, login):
        with psycopg.connect(product.database_url) as connection:
            roles = "SELECT array_agg(rolname ORDER BY rolname) FROM pg_roles"
            before = connection.execute(roles).fetchone()
            for act in ("grant", "revoke"):
                outcome = product.command("db", act, login)
                assert outcome.returncode == 1
                assert "Traceback" not in outcome.stderr
                assert "\x1b" not in outcome.stderr
            assert connection.execute(roles).fetchone() == before

    @pytest.mark.parametrize(
        ("options", "word"),
        [
            (("--role", "admin"), "admin"),
            (("--role", "analyst; DROP"), "analyst"),
            (("--role", "fleetkeeper_app"), "fleetkeeper_app"),
            (("--department", "Nowhere"), "Nowhere"),
            (("--department", "' OR 1=1 --"), "OR 1=1"),
        ],
    )
    def test_what_does_not_fit_makes_nothing(self, product, options, word):
        login = f"r{uuid4().hex[:12]}"
        outcome = product.command("db", "grant", login, *options)
        assert outcome.returncode == 1
        assert word in outcome.stderr
        assert "Traceback" not in outcome.stderr
        with psycopg.connect(product.database_url) as connection:
            assert connection.execute("SELECT to_regrole(%s)", (login,)).fetchone() == (None,)
