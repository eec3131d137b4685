"""Columns that the documents name and that follow from others: what they hold, and that they hold it at all times."""

from uuid import UUID, uuid4

import psycopg
import pytest


@pytest.fixture
def people(connection: psycopg.Connection) -> "People":
    return People(connection)


class People:
    """Accounts, groups and roles, made by SQL."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def make(self, table: str, **values: object) -> UUID:
        made = uuid4()
        names = ", ".join(("id", *values))
        places = ", ".join(["%s"] * (len(values) + 1))
        self._connection.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", (made, *values.values()))
        return made

    def role(self, name: str, *permissions: str) -> UUID:
        """A built-in role, or one's own."""
        found = self._connection.execute("SELECT id FROM roles WHERE name = %s", (name,)).fetchone()
        if found:
            return found[0]
        made = self.make("roles", name=name)
        for permission in permissions:
            self.make("role_permissions", role_id=made, permission=permission)
        return made

    def told(self, user: UUID, columns: str = "role") -> object:
        row = self._connection.execute(f"SELECT {columns} FROM users WHERE id = %s", (user,)).fetchone()
        assert row is not None
        return row[0] if len(row) == 1 else row


class TestUserRole:
    def test_follows_memberships(self, people, connection):
        user = people.make("users", username="ada")
        department = people.make("departments", name="North")
        assert people.told(user) == "viewer"
        people.make("memberships", user_id=user, role_id=people.role("viewer"))
        assert people.told(user) == "viewer"
        limited = people.make(
            "memberships", user_id=user, role_id=people.role("admin"), department_id=department
        )
        assert people.told(user) == "operator"
        everywhere = people.make("memberships", user_id=user, role_id=people.role("admin"))
        assert people.told(user) == "admin"
        connection.execute("DELETE FROM memberships WHERE id IN (%s, %s)", (limited, everywhere))
        assert people.told(user) == "viewer"

    def test_follows_groups_managers_and_own_roles(self, people, connection):
        member, manager = people.make("users", username="ada"), people.make("users", username="grace")
        group = people.make("groups", name="On call")
        own = people.role("Readers", "devices:read")
        people.make("memberships", group_id=group, role_id=own)
        connection.execute("INSERT INTO group_members (group_id, user_id) VALUES (%s, %s)", (group, member))
        assert people.told(member) == "viewer"
        people.make("role_permissions", role_id=own, permission="devices:write")
        assert people.told(member) == "operator"
        connection.execute(
            "DELETE FROM role_permissions WHERE permission = 'devices:write' AND role_id = %s", (own,)
        )
        assert people.told(member) == "viewer"
        people.make("memberships", group_id=group, role_id=people.role("admin"))
        assert people.told(member) == "admin"
        connection.execute("DELETE FROM groups WHERE id = %s", (group,))
        assert people.told(member) == "viewer"
        department = people.make("departments", name="North", manager_id=manager)
        assert people.told(manager) == "operator"
        connection.execute("UPDATE departments SET manager_id = NULL WHERE id = %s", (department,))
        assert people.told(manager) == "viewer"

    def test_leaves_no_entries_of_its_own_in_the_audit_log(self, people, connection):
        user = people.make("users", username="ada")
        people.make("memberships", user_id=user, role_id=people.role("admin"))
        actions = connection.execute("SELECT action FROM audit_log WHERE resource_type = 'users'").fetchall()
        assert actions == [("users.insert",)]


class TestProvider:
    def test_is_the_account_that_was_linked_first(self, people, connection):
        user = people.make("users", username="ada", enabled=False)
        assert people.told(user, "oauth_provider, oauth_id, is_active") == ("local", None, False)
        for slug in ("first", "second"):
            provider = people.make(
                "identity_providers", slug=slug, name=slug, issuer=f"https://{slug}", client_id="x"
            )
            people.make(
                "user_identities",
                user_id=user,
                provider_id=provider,
                issuer=f"https://{slug}",
                subject=f"ada of {slug}",
                created_at="2026-01-01" if slug == "first" else "2026-02-01",
            )
        assert people.told(user, "oauth_provider, oauth_id") == ("first", "ada of first")
        connection.execute("DELETE FROM user_identities WHERE subject = 'ada of first'")
        assert people.told(user, "oauth_provider, oauth_id") == ("second", "ada of second")


class TestOtherNames:
    def test_of_login_sessions(self, people, connection):
        user, device = people.make("users", username="Ada"), uuid4()
        for username in ("ada", "nobody"):
            connection.execute(
                "INSERT INTO user_sessions (session_id, device_id, username, login_time) VALUES (%s, %s, %s, now())",
                (uuid4(), device, username),
            )
        rows = "SELECT username, user_id, system_id FROM user_sessions ORDER BY username"
        assert connection.execute(rows).fetchall() == [("ada", user, device), ("nobody", None, device)]
        connection.execute("DELETE FROM users WHERE id = %s", (user,))
        assert connection.execute(rows).fetchall() == [("ada", None, device), ("nobody", None, device)]

    def test_of_process_snapshots_and_the_audit_log(self, people, connection):
        connection.execute(
            "INSERT INTO process_snapshots (device_id, ts, processes) VALUES (gen_random_uuid(), now(), '[]')"
        )
        assert connection.execute('SELECT bool_and("timestamp" = ts) FROM process_snapshots').fetchone() == (
            True,
        )
        user = people.make("users", username="ada")
        connection.execute("UPDATE config SET updated_at = now()")
        connection.execute("SELECT record_audit_event('x', 'config', 'sampling', NULL, NULL, NULL)")
        rows = connection.execute(
            "SELECT record_id, resource_id FROM audit_log WHERE resource_type IN ('users', 'config') ORDER BY id"
        ).fetchall()
        assert rows == [(str(user), user), ("sampling", None)]
