"""Every change of every audited table leaves an entry that says who, what, when, from where and why."""

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest
from psycopg.rows import dict_row

from fleetkeeper.audit.coverage import SKIPPED, UNAUDITED, USUAL
from fleetkeeper.database.migrations.tables import is_of_models
from tests.factories.audit import CONTEXT, act_as, add_device
from tests.fixtures.database import application_login

TRIGGERS = {"audit_insert", "audit_update", "audit_delete", "audit_truncate"}
# Columns whose names tell of a secret. A new one of these must be declared as secret, or its table not audited.
SECRET_NAMES = ("hash", "secret", "password", "csrf", "sealed", "credential", "provider_tokens")


def entries(connection: psycopg.Connection, resource_type: str | None = None) -> list[dict]:
    """The entries so far, oldest first."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "SELECT *, host(ip_address) AS address FROM audit_log WHERE resource_type = coalesce(%s, resource_type) "
            "ORDER BY id",
            [resource_type],
        ).fetchall()


@pytest.fixture
def clean(connection: psycopg.Connection) -> psycopg.Connection:
    """A database whose log is empty."""
    connection.execute("DELETE FROM audit_log")
    return connection


class TestCoverage:
    def test_each_table_is_audited_or_says_why_not(self, connection):
        rows = connection.execute(
            """
            SELECT relname, array_agg(tgname::text) FILTER (WHERE tgname LIKE 'audit\\_%' AND tgenabled = 'O')
            FROM pg_class c LEFT JOIN pg_trigger t ON t.tgrelid = c.oid
            WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition GROUP BY 1
            """
        ).fetchall()
        audited = {name for name, triggers in rows if set(triggers or ()) == TRIGGERS}
        assert audited | UNAUDITED.keys() == {name for name, _ in rows}
        assert not audited & UNAUDITED.keys()

    def test_reasons_are_sentences(self):
        assert all(len(reason.split()) > 1 for reason in UNAUDITED.values())

    def test_each_column_is_told_of_or_says_why_not(self, connection):
        rows = connection.execute(
            """
            SELECT c.relname, a.attname, quote_ident(a.attname), p.prosrc
            FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
            JOIN pg_attribute a ON a.attrelid = c.oid
            WHERE t.tgname = 'audit_update' AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
            """
        ).fetchall()
        skipped = {
            (table, column)
            for table, column, quoted, source in rows
            if f"IS DISTINCT FROM n.{quoted} AS c" not in source
        }
        declared = {(table, column) for table, columns in SKIPPED.items() for column in columns}
        assert {one for one in skipped if one[1] not in USUAL} == declared
        reasons = [*USUAL.values(), *(why for columns in SKIPPED.values() for why in columns.values())]
        assert all(len(why.split()) > 1 for why in reasons)

    @pytest.mark.parametrize(
        ("table", "columns"),
        [
            ("api_tokens", {"secret_hash", "previous_secret_hash", "user_id", "expires_at"}),
            ("device_keys", {"secret_hash", "device_id"}),
            ("identity_providers", {"client_secret_sealed"}),
            ("passkeys", {"public_key", "credential_id", "sign_count", "user_id"}),
            ("sessions", {"confirmed_at", "secret_hash", "expires_at", "user_id"}),
            ("totp_devices", {"secret_sealed", "last_step", "confirmed_at", "user_id"}),
            ("users", {"password_hash", "enabled"}),
        ],
    )
    def test_what_grants_or_protects_is_never_skipped(self, connection, table, columns):
        present = {
            name
            for (name,) in connection.execute(
                "SELECT attname::text FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0", [table]
            )
        }
        assert columns <= present
        assert not columns & SKIPPED.get(table, {}).keys()

    def test_partitions_need_none(self):
        assert not is_of_models("audit_log_2026_01")


class TestWhat:
    def test_insert(self, clean):
        device = add_device(clean)
        (entry,) = entries(clean, "devices")
        assert entry["action"] == "devices.insert"
        assert (entry["record_id"], entry["record_name"]) == (device, "web-01")
        assert str(entry["device_id"]) == device
        assert entry["old_values"] is None
        assert entry["new_values"]["lifecycle"] == "active"
        # What changes by itself, and what is not there, is left out.
        assert not {"last_seen", "status", "version", "search_text", "location"} & entry["new_values"].keys()

    def test_update_has_the_changed_fields_alone(self, clean):
        device = add_device(clean)
        clean.execute("UPDATE devices SET location = 'Hall 1', name = 'web-02' WHERE id = %s", [device])
        entry = entries(clean, "devices")[-1]
        assert entry["action"] == "devices.update"
        assert entry["old_values"] == {"location": None, "name": "web-01"}
        assert entry["new_values"] == {"location": "Hall 1", "name": "web-02"}
        assert entry["record_name"] == "web-02"
        clean.execute("UPDATE devices SET location = NULL WHERE id = %s", [device])
        entry = entries(clean, "devices")[-1]
        assert (entry["old_values"], entry["new_values"]) == ({"location": "Hall 1"}, {"location": None})

    def test_delete(self, clean):
        device = add_device(clean)
        clean.execute("DELETE FROM devices WHERE id = %s", [device])
        entry = entries(clean, "devices")[-1]
        assert entry["action"] == "devices.delete"
        assert (entry["record_id"], entry["new_values"]) == (device, None)
        assert entry["old_values"]["name"] == "web-01"

    def test_truncate_is_told(self, clean):
        clean.execute("TRUNCATE tags CASCADE")
        assert {"tags.truncate", "tagged.truncate"} <= {entry["action"] for entry in entries(clean)}

    def test_columns_of_every_kind_come_back_as_they_are(self, clean):
        values = {
            "capabilities": {"a": [1, None, {"b": "ü"}]},
            "gpu_models": ["x", None],
            "memory_total_bytes": 2**40,
        }
        device = add_device(clean)
        clean.execute(
            "UPDATE devices SET capabilities = %s, gpu_models = %s, memory_total_bytes = %s, cpu_cores = 4, "
            "boot_time = '2026-01-02T03:04:05Z' WHERE id = %s",
            [json.dumps(values["capabilities"]), json.dumps(values["gpu_models"]), 2**40, device],
        )
        new = entries(clean, "devices")[-1]["new_values"]
        assert {name: new[name] for name in values} == values
        assert datetime.fromisoformat(new["boot_time"]) == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    @pytest.mark.parametrize(
        "change",
        [
            "name = name",
            "last_seen = now(), status = 'online', version = version + 1, updated_at = now(), first_seen = now()",
            "capabilities = '{}'::jsonb",
        ],
    )
    def test_nothing_worth_telling_gives_no_entry(self, clean, change):
        add_device(clean)
        before = len(entries(clean))
        clean.execute(f"UPDATE devices SET {change}")
        assert len(entries(clean)) == before

    def test_many_rows_in_one_statement(self, clean):
        for name in ("a", "b", "c"):
            add_device(clean, name)
        before = len(entries(clean))
        clean.execute("UPDATE devices SET location = 'Hall 2' WHERE name <> 'b'")
        told = entries(clean)[before:]
        assert sorted(entry["record_name"] for entry in told) == ["a", "c"]
        assert len({entry["transaction_id"] for entry in told}) == 1

    def test_upsert_tells_inserts_from_updates(self, clean):
        clean.execute("INSERT INTO config (key, value) VALUES ('one', '{}')")
        clean.execute(
            "INSERT INTO config (key, value) VALUES ('one', '{\"a\": 1}'), ('two', '{}') "
            "ON CONFLICT (key) DO UPDATE SET value = excluded.value"
        )
        told = {(entry["action"], entry["record_id"]) for entry in entries(clean, "config")[1:]}
        assert told == {("config.update", "one"), ("config.insert", "two")}

    def test_other_keys_to_an_account_are_told(self, clean):
        """Each of them lets somebody sign in, or do what needs a fresh sign-in."""
        user, session, passkey, totp = (uuid4() for _ in range(4))
        clean.execute("INSERT INTO users (id, username) VALUES (%s, 'maria')", [user])
        clean.execute(
            "INSERT INTO sessions (id, user_id, secret_hash, csrf_token, created_at, last_used_at, expires_at) "
            "VALUES (%s, %s, 'a', 'b', now(), now(), now())",
            [session, user],
        )
        clean.execute(
            "INSERT INTO passkeys (id, user_id, name, credential_id, public_key, sign_count, created_at) "
            "VALUES (%s, %s, 'key', 'c', 'd', 7, now())",
            [passkey, user],
        )
        clean.execute(
            "INSERT INTO totp_devices (id, user_id, secret_sealed, last_step, created_at) "
            "VALUES (%s, %s, 'e', 9, now())",
            [totp, user],
        )
        before = len(entries(clean))
        clean.execute("UPDATE passkeys SET public_key = 'another'")
        clean.execute("UPDATE passkeys SET sign_count = 0")
        clean.execute("UPDATE sessions SET confirmed_at = now()")
        clean.execute("UPDATE totp_devices SET last_step = NULL")
        told = [(entry["action"], set(entry["new_values"])) for entry in entries(clean)[before:]]
        assert told == [
            ("passkeys.update", {"public_key"}),
            ("passkeys.update", {"sign_count"}),
            ("sessions.update", {"confirmed_at"}),
            ("totp_devices.update", {"last_step"}),
        ]

    def test_cascades_are_told(self, clean):
        device = add_device(clean)
        clean.execute(
            "INSERT INTO device_identities (id, device_id, kind, value, first_seen, last_seen) "
            "VALUES (gen_random_uuid(), %s, 'hostname', 'web-01', now(), now())",
            [device],
        )
        clean.execute("DELETE FROM devices WHERE id = %s", [device])
        told = [entry for entry in entries(clean) if entry["action"] == "device_identities.delete"]
        assert [str(entry["device_id"]) for entry in told] == [device]

    def test_a_key_that_changes(self, clean):
        clean.execute("INSERT INTO config (key, value) VALUES ('before', '{}')")
        clean.execute("UPDATE config SET key = 'after'")
        told = {entry["record_id"]: entry for entry in entries(clean, "config")[1:]}
        assert told.keys() == {"before", "after"}
        assert told["before"]["old_values"]["key"] == "before"
        assert told["before"]["new_values"] is None
        assert told["after"]["new_values"]["key"] == "after"
        assert told["after"]["old_values"] is None

    def test_rollback_leaves_no_entry(self, clean):
        with pytest.raises(ZeroDivisionError), clean.transaction():
            add_device(clean)
            assert entries(clean)
            raise ZeroDivisionError
        assert entries(clean) == []

    def test_plans_fit_many_rows_after_one(self, clean):
        """A session keeps the plan of its first call, which had one row; with more it must not become quadratic."""
        add_device(clean)
        for _ in range(12):
            clean.execute("UPDATE devices SET location = random()::text")
        clean.execute(
            "INSERT INTO devices (id, name, hostname) SELECT gen_random_uuid(), i, i FROM generate_series(1, 4000) AS i"
        )
        clean.execute("SET statement_timeout = '5s'")
        clean.execute("UPDATE devices SET location = 'Hall 3'")


class TestWho:
    def test_all_that_the_application_says(self, clean):
        with clean.transaction():
            act_as(clean)
            add_device(clean)
        (entry,) = entries(clean, "devices")
        told = {
            "kind": entry["actor_kind"],
            "name": entry["actor_name"],
            "user": str(entry["user_id"]),
            "token": str(entry["token_id"]),
            "session": str(entry["session_id"]),
            "address": entry["address"],
            "agent": entry["user_agent"],
            "request": entry["request_id"],
            "reason": entry["change_reason"],
        }
        assert told == CONTEXT
        assert abs(entry["timestamp"] - datetime.now(UTC)) < timedelta(minutes=1)

    def test_it_holds_for_one_transaction(self, clean):
        with clean.transaction():
            act_as(clean)
        add_device(clean)
        assert entries(clean)[0]["actor_kind"] == "database"

    def test_somebody_with_sql(self, clean):
        clean.execute("SET application_name = 'psql'")
        add_device(clean)
        (entry,) = entries(clean, "devices")
        assert (entry["actor_kind"], entry["actor_name"]) == ("database", clean.info.user)
        assert entry["user_agent"] == "psql"
        assert entry["user_id"] is None

    @pytest.mark.parametrize(
        "name",
        [
            "o'brien",
            'x"}, {"kind": "job"',
            "a\\b",
            "tab\tline\nbell\x07",
            "%s %I $1",
            "x" * 255,
            "\u202eevil",
            "ü€🙂",
        ],
    )
    def test_hostile_texts_come_back_as_they_are(self, clean, name):
        context = {"kind": "user", "name": name, "agent": name, "request": name[:100], "reason": name}
        with clean.transaction():
            act_as(clean, context)
            add_device(clean, name)
        (entry,) = entries(clean, "devices")
        assert (entry["actor_name"], entry["change_reason"], entry["record_name"]) == (name, name, name)
        assert entry["actor_kind"] == "user"

    @pytest.mark.parametrize(
        "setting",
        [
            "garbage",
            "[]",
            "null",
            '"user"',
            "{}",
            '{"kind": "user"}',
            '{"kind": "user", "name": "x", "user": "nobody"}',
            '{"kind": "user", "name": "x", "address": "nowhere"}',
            '{"kind": "", "name": "x"}',
        ],
    )
    def test_a_setting_that_is_none_stops_the_statement(self, clean, setting):
        with pytest.raises(psycopg.Error), clean.transaction():
            clean.execute("SELECT set_config('fleetkeeper.audit', %s, true)", [setting])
            add_device(clean)
        assert clean.execute("SELECT count(*) FROM devices").fetchone()[0] == 0

    def test_long_texts_are_cut(self, clean):
        context = {"kind": "user", "name": "n" * 1000, "agent": "a" * 1000, "request": "r" * 1000}
        with clean.transaction():
            act_as(clean, context)
            add_device(clean)
        (entry,) = entries(clean, "devices")
        assert [len(entry[name]) for name in ("actor_name", "user_agent", "request_id")] == [255, 300, 100]


class TestSecrets:
    def columns(self, connection: psycopg.Connection) -> list[tuple[str, str, str]]:
        """Columns of audited tables whose names tell of a secret: table, column and type."""
        return connection.execute(
            """
            SELECT c.relname, a.attname, a.atttypid::regtype::text
            FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            JOIN pg_trigger t ON t.tgrelid = c.oid AND t.tgname = 'audit_insert'
            WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attname ~ %s ORDER BY 1, 2
            """,
            ["|".join(SECRET_NAMES)],
        ).fetchall()

    def test_none_gets_in(self, clean):
        """The function of a table reads no such column but to compare it."""
        seen = 0
        for table, column, kind in self.columns(clean):
            if kind not in {"bytea", "text", "character varying"}:
                continue
            (source,) = clean.execute(
                "SELECT prosrc FROM pg_proc WHERE oid = (SELECT tgfoid FROM pg_trigger "
                "WHERE tgname = 'audit_insert' AND tgrelid = %s::regclass)",
                [table],
            ).fetchone()
            # Neither whole nor field by field: all that the function knows of it is whether it changed.
            assert f"'{column}': r." not in source, (table, column)
            assert f"jsonb_build_object('{column}', o" not in source, (table, column)
            assert f"jsonb_build_object('{column}', n" not in source, (table, column)
            seen += 1
        assert seen >= 10

    def test_they_are_only_told_to_have_changed(self, clean):
        mark, other = "TOP-SECRET-1", "TOP-SECRET-2"
        clean.execute(
            "INSERT INTO users (id, username, password_hash) VALUES (gen_random_uuid(), 'maria', %s)", [mark]
        )
        clean.execute("UPDATE users SET password_hash = %s", [other])
        user = clean.execute("SELECT id FROM users").fetchone()[0]
        secret = {name: f"{mark} {name}".encode() for name in ("a", "b", "c", "d")}
        clean.execute(
            "INSERT INTO sessions (id, user_id, secret_hash, csrf_token, provider_tokens, created_at, last_used_at, "
            "expires_at) VALUES (%s, %s, %s, %s, %s, now(), now(), now())",
            [uuid4(), user, secret["a"], mark, secret["b"]],
        )
        clean.execute("UPDATE sessions SET secret_hash = %s, csrf_token = %s", [secret["c"], other])
        clean.execute("DELETE FROM users")
        text = json.dumps([[str(value) for value in entry.values()] for entry in entries(clean)])
        assert "TOP-SECRET" not in text
        assert mark.encode().hex() not in text
        (changed,) = [entry for entry in entries(clean, "users") if entry["action"] == "users.update"]
        assert changed["old_values"] == changed["new_values"] == {"password_hash": "[secret]"}
        assert {"sessions.delete", "users.delete"} <= {entry["action"] for entry in entries(clean)}


class TestNobodyForges:
    @pytest.fixture
    def app_connection(self, database_url):
        with psycopg.connect(application_login(database_url), autocommit=True) as connection:
            yield connection

    @pytest.mark.parametrize(
        "statement",
        [
            "INSERT INTO audit_log (action, actor_kind, actor_name, resource_type) VALUES ('x', 'user', 'x', 'x')",
            "UPDATE audit_log SET action = 'x'",
            "DELETE FROM audit_log",
            "TRUNCATE audit_log",
            "DELETE FROM audit_log_default",
            "UPDATE audit_seals SET entries = 0",
            "DELETE FROM audit_seals",
            "DELETE FROM audit_archives",
            "UPDATE audit_archives SET entries = 0",
            "INSERT INTO audit_epochs VALUES (9, 9, 9)",
            "SELECT begin_audit_epoch()",
            "ALTER TABLE devices DISABLE TRIGGER ALL",
            "DROP TRIGGER audit_update ON devices",
            "SET session_replication_role = replica",
            "SELECT audit_table('devices', '{id}')",
            "SELECT drop_archived_audit_month('2020-01-01')",
        ],
    )
    @pytest.mark.parametrize("role", ["fleetkeeper_app", "fleetkeeper_whole_fleet"])
    def test_the_application_only_adds(self, app_connection, statement, role):
        app_connection.execute(f"SET ROLE {role}")
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.RaiseException)):
            app_connection.execute(statement)

    def test_a_trigger_function_cannot_be_tied_to_another_table(self, app_connection):
        app_connection.execute("CREATE TEMP TABLE devices_like (LIKE devices)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app_connection.execute(
                "CREATE TRIGGER t AFTER INSERT ON devices_like REFERENCING NEW TABLE AS new_rows "
                "FOR EACH STATEMENT EXECUTE FUNCTION audit_devices()"
            )

    def test_a_table_of_ones_own_does_not_stand_in(self, app_connection, clean):
        """A temporary `audit_log` must not catch the entries."""
        app_connection.execute("CREATE TEMP TABLE audit_log (LIKE public.audit_log)")
        app_connection.execute("CREATE TEMP TABLE audit_epochs (LIKE public.audit_epochs)")
        app_connection.execute("INSERT INTO pg_temp.audit_epochs VALUES (9, 9, 1000000000, now())")
        with app_connection.transaction():
            app_connection.execute("SET LOCAL ROLE fleetkeeper_whole_fleet")
            act_as(app_connection)
            add_device(app_connection)
        (entry,) = entries(clean, "devices")
        assert entry["transaction_id"] < 1_000_000_000
