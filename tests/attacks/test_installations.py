"""Two fresh installations share no secret, and the first-run door is closed for good."""

import asyncio
import stat

import psycopg

from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.identity.users.service import create_first_administrator
from tests.fixtures.client import PASSWORD

FIRST_RUN = product_context("command", "first run")


class TestSecrets:
    def test_two_homes_have_none_in_common(self, make_product):
        homes = []
        for name in ("one", "two"):
            product = make_product(name, FLEETKEEPER_ADMIN_PASSWORD="")
            product.start()
            product.command("audit", "seal")
            secrets = {}
            for path in product.home.iterdir():
                if path.is_file() and path.name != "lock":
                    assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
                    secrets[path.name] = path.read_bytes()
            with psycopg.connect(product.database_url) as connection:
                secrets["hash"] = connection.execute("SELECT password_hash FROM users").fetchone()[0]
                secrets["instance"] = connection.execute("SELECT instance_id FROM installation").fetchone()[0]
                secrets["verifier"] = connection.execute(
                    "SELECT rolpassword FROM pg_authid WHERE rolname = 'fleetkeeper_app'"
                ).fetchone()[0]
            homes.append(secrets)
        assert {"admin-password", "app-database-password", "database-password"} <= homes[0].keys()
        assert homes[0].keys() == homes[1].keys()
        for name in homes[0]:
            assert homes[0][name] != homes[1][name], name

    def test_no_key_and_no_password_is_in_the_source(self):
        from pathlib import Path

        root = Path(__file__).parents[2] / "src"
        for path in root.rglob("*"):
            if path.suffix in {".py", ".sql", ".html", ".sh"}:
                text = path.read_text()
                assert "BEGIN PRIVATE KEY" not in text, path
                assert "BEGIN RSA PRIVATE KEY" not in text, path


class TestFirstRun:
    async def test_of_many_at_once_one_makes_the_administrator(self, app_url):
        databases = [Database(app_url, pool_size=1) for _ in range(6)]

        async def attempt(database: Database, number: int) -> bool:
            async with database.session(FIRST_RUN) as session:
                return await create_first_administrator(session, f"admin{number}", PASSWORD)

        try:
            made = await asyncio.gather(
                *(attempt(database, number) for number, database in enumerate(databases))
            )
        finally:
            for database in databases:
                await database.close()
        assert sorted(made) == [False] * 5 + [True]

    async def test_stays_closed_when_all_users_are_gone(self, app_url, connection):
        database = Database(app_url, pool_size=1)
        try:
            async with database.session(FIRST_RUN) as session:
                assert await create_first_administrator(session, "admin", PASSWORD)
            connection.execute("DELETE FROM users")
            async with database.session(FIRST_RUN) as session:
                assert not await create_first_administrator(session, "admin", PASSWORD)
        finally:
            await database.close()

    async def test_there_is_no_door_over_http(self, app):
        async with app.client() as client:
            for path in (
                "/setup",
                "/install",
                "/first-run",
                "/api/v1/setup",
                "/api/v1/install",
                "/api/v1/users",
            ):
                for method in ("GET", "POST"):
                    answer = await client.request(method, path, json={"username": "x", "password": PASSWORD})
                    assert answer.status_code in {303, 401, 404, 405}, path
