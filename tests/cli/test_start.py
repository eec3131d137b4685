"""What a person at the terminal meets: starts, stops, and one sentence for each start that cannot be."""

import contextlib
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from fleetkeeper.database.embedded import EmbeddedServer
from fleetkeeper.database.migrate import newest_revision
from tests.fixtures.database import application_login, keeper_login
from tests.fixtures.product import PASSWORD, Product, free_port, wait_for

_names = itertools.count(1)


def assert_one_sentence(outcome: subprocess.CompletedProcess[str], *words: str) -> None:
    """It failed, and said why in one line that has these words, and no secret."""
    assert outcome.returncode != 0
    assert "Traceback" not in outcome.stderr
    lines = [line for line in outcome.stderr.splitlines() if not line.startswith("Adding permission")]
    assert len(lines) == 1, outcome.stderr
    assert lines[0].startswith("fleetkeeper: ")
    for word in words:
        assert word in lines[0]
    assert "secret" not in outcome.stderr


@pytest.fixture(scope="session")
def owner_role(server: EmbeddedServer) -> str:
    """A role that may do nothing but own its databases.

    Another installation of the same server has made the roles that the product works with.
    """
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE ROLE owner LOGIN PASSWORD 'secret' NOSUPERUSER NOCREATEDB NOCREATEROLE")
    return "owner"


@pytest.fixture
def own_database(server: EmbeddedServer, owner_role: str) -> Iterator[str]:
    """The URL of an empty database on another PostgreSQL, for its owner."""
    name = f"own_{next(_names)}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} OWNER {owner_role}")
        yield f"postgresql://{owner_role}:secret@/{name}?host={server.socket_folder}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


class TestWithoutDatabase:
    """Nothing runs yet, and nothing comes to run."""

    @pytest.fixture
    def command(
        self, make_product: Callable[..., Product]
    ) -> Callable[..., subprocess.CompletedProcess[str]]:
        return make_product().command

    @pytest.mark.parametrize(
        ("variable", "value", "word"),
        [
            ("FLEETKEEPER_WEB__PORT", "abc", "whole number"),
            ("FLEETKEEPER_WEB__PORT", "70000", "65535"),
            ("FLEETKEEPER_WEB__ALLOWED_HOSTS", "fleet.example", "JSON"),
            ("FLEETKEEPER_LOG_LEVEL", "loud", "info"),
            ("FLEETKEEPER_HOME", "/dev/null/home", "written"),
            ("FLEETKEEPER_DATABASE__URL", "mysql://u:secret@localhost/f", "postgresql://"),
            ("FLEETKEEPER_DATABASE__URL", "postgresql://u:secret@localhost:port/f", "URL"),
            ("FLEETKEEPER_DATABASE__URL", "postgresql://u:secret@[::1/f", "FLEETKEEPER_DATABASE__URL"),
            ("FLEETKEEPER_DATABASE__URL", "postgresql://u:secret@127.0.0.1:1/f", "refused"),
        ],
    )
    def test_a_wrong_setting_is_named(self, command, variable: str, value: str, word: str) -> None:
        outcome = command("up", **{variable: value})
        assert_one_sentence(outcome, word)
        assert variable in outcome.stderr or "database" in outcome.stderr

    @pytest.mark.parametrize("arguments", [["serve"], ["worker"], ["db", "url"], ["db", "status"]])
    def test_a_home_without_database(self, command, arguments: list[str]) -> None:
        assert_one_sentence(command(*arguments), "fleetkeeper up")

    def test_a_taken_port(self, command) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = str(other.getsockname()[1])
            assert_one_sentence(command("up", FLEETKEEPER_WEB__PORT=port), port, "FLEETKEEPER_WEB__PORT")

    def test_a_wrong_database_password(self, command, own_database: str) -> None:
        url = own_database.replace(":secret@", ":secret2@")
        assert_one_sentence(command("up", FLEETKEEPER_DATABASE__URL=url), "authentication")

    def test_the_embedded_database_cannot_start(self, make_product: Callable[..., Product]) -> None:
        product = make_product()
        data = EmbeddedServer(product.home).data
        data.mkdir(parents=True)
        (data / "PG_VERSION").write_text("9\n")
        (data / "postgresql.conf").touch()
        if os.geteuid() == 0:
            shutil.chown(data, "embedded_postgres")
            data.chmod(0o700)
        assert_one_sentence(product.command("up"), "embedded database did not start")


class TestSchema:
    """A database that is older or newer than the program."""

    @pytest.fixture
    def command(self, make_product: Callable[..., Product], own_database: str):
        product = make_product(
            FLEETKEEPER_DATABASE__URL=own_database,
            FLEETKEEPER_DATABASE__APP_URL=application_login(own_database),
            FLEETKEEPER_DATABASE__AUDIT_URL=keeper_login(own_database),
        )
        return product.command

    @pytest.mark.parametrize("program", ["serve", "worker"])
    def test_an_older_schema(self, command, program: str) -> None:
        assert_one_sentence(command(program), "older", "fleetkeeper db migrate")

    @pytest.mark.parametrize("program", ["serve", "worker"])
    def test_a_schema_from_before_the_application_had_a_login(self, command, program: str) -> None:
        assert command("db", "migrate", "0005").returncode == 0
        assert_one_sentence(command(program), "older", "fleetkeeper db migrate")

    def test_a_newer_schema(self, command, own_database: str) -> None:
        with psycopg.connect(own_database, autocommit=True) as connection:
            connection.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
            connection.execute("INSERT INTO alembic_version VALUES ('9999')")
            connection.execute("GRANT SELECT ON alembic_version TO fleetkeeper_app")
        for arguments in (["up"], ["serve"], ["worker"], ["db", "migrate"], ["db", "rollback", "--yes"]):
            assert_one_sentence(command(*arguments), "9999", "newer than this program")

    def test_the_audit_logs_keeper_needs_a_login(self, make_product, own_database: str) -> None:
        """Where the server has the role's password already, and this home does not."""
        product = make_product(
            FLEETKEEPER_DATABASE__URL=own_database,
            FLEETKEEPER_DATABASE__APP_URL=application_login(own_database),
        )
        for arguments in (["up"], ["db", "migrate"]):
            assert_one_sentence(product.command(*arguments), "FLEETKEEPER_DATABASE__AUDIT_URL")
        assert_one_sentence(product.command("worker"), "audit-keeper-password", "fleetkeeper db migrate")
        url = application_login(own_database)
        outcome = product.command("up", FLEETKEEPER_DATABASE__AUDIT_URL=url)
        assert_one_sentence(outcome, "FLEETKEEPER_DATABASE__AUDIT_URL", "fleetkeeper_audit_keeper")

    def test_there_and_back(self, command) -> None:
        """As the owner of a database who is no superuser."""
        newest = newest_revision()
        assert f"the schema is at {newest}" in command("db", "migrate").stdout
        assert command("worker", "--check").returncode == 0
        assert_one_sentence(command("db", "migrate", "nowhere"), "nowhere")
        assert "The schema is at" in command("db", "rollback", "--yes").stdout
        state = json.loads(command("db", "status", "--json").stdout)
        assert state["pending"] == [newest]
        assert "the very beginning" in command("db", "rollback", "base", "--yes").stdout
        assert_one_sentence(command("db", "rollback", "--yes"), "beginning")


@contextlib.contextmanager
def running_part(
    product: Product, output: Path, *arguments: str, **settings: str
) -> Iterator[subprocess.Popen[bytes]]:
    """One process of the product by itself, as a unit of systemd runs it."""
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "fleetkeeper", *arguments],
            env=product.environment | settings,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


class TestRunning:
    """Commands beside a running installation."""

    def test_a_second_instance(self, product: Product) -> None:
        port = str(free_port())
        assert_one_sentence(
            product.command("up", FLEETKEEPER_WEB__PORT=port), "already running", str(product.home)
        )

    def test_database_commands(self, product: Product) -> None:
        assert product.command("db", "url").stdout.strip() == product.database_url
        assert "nothing to apply" in product.command("db", "status").stdout
        assert "Applied 0 migrations" in product.command("db", "migrate").stdout

    def test_tokens(self, product: Product) -> None:
        created = product.command(
            "token", "create", "--user", "admin", "--name", "x", "--days", "1", "--json"
        )
        with product.client(json.loads(created.stdout)["token"]) as client:
            assert client.get("/api/v1/config").status_code == 200
        token = json.loads(product.command("token", "enroll", "--json").stdout)["token"]
        body = {"token": token, "hostname": "host", "identities": {"machine_id": "host"}}
        with product.client() as client:
            assert client.post("/api/v1/enroll", json=body).status_code == 201
        outcome = product.command("token", "create", "--user", "nobody", "--name", "x")
        assert outcome.returncode == 1
        assert "nobody" in outcome.stderr
        assert "Traceback" not in outcome.stderr

    def test_users(self, product: Product) -> None:
        created = product.command("user", "create", "grace", "--role", "viewer", "--password", PASSWORD)
        assert created.stdout == "grace can sign in as viewer.\n"
        again = product.command("user", "create", "grace", "--password", PASSWORD)
        assert_one_sentence(again, "grace")
        short = product.command("user", "create", "heidi", "--password", "short")
        assert short.returncode == 1
        assert "password" in short.stderr

    def test_a_web_process_by_itself(self, product: Product, tmp_path: Path) -> None:
        port, output = free_port(), tmp_path / "output"

        def is_ready() -> bool:
            with contextlib.suppress(httpx.HTTPError):
                return httpx.get(f"http://127.0.0.1:{port}/health/ready", trust_env=False).is_success
            return False

        with running_part(product, output, "serve", FLEETKEEPER_WEB__PORT=str(port)) as process:
            wait_for("readiness", is_ready)
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
            assert not output.read_text()

    def test_a_worker_by_itself(self, product: Product, tmp_path: Path) -> None:
        output = tmp_path / "output"

        def workers() -> set[int]:
            with psycopg.connect(product.database_url) as connection:
                return {row[0] for row in connection.execute("SELECT id FROM procrastinate_workers")}

        before = workers()
        with running_part(product, output, "worker") as process:
            wait_for("a worker more", lambda: workers() - before)
            process.terminate()
            assert process.wait(60) == 0
            assert not output.read_text()


def test_help_and_settings(make_product: Callable[..., Product]) -> None:
    product = make_product()
    for arguments in ([], ["up"], ["db", "rollback"], ["token", "create"], ["user", "create"], ["simulate"]):
        outcome = product.command(*arguments, "--help")
        assert outcome.returncode == 0, outcome.stderr
        assert "Usage: " in outcome.stdout
    assert "| `FLEETKEEPER_WEB__PORT` | `8000` |" in product.command("settings").stdout
    assert not product.home.exists()


def assert_quiet(output: str) -> None:
    """Nothing that looks like a mistake."""
    for word in ("Traceback", "error", "Error", "warning"):
        assert word not in output, output


@contextlib.contextmanager
def live_view(product: Product) -> Iterator[Iterator[str]]:
    """A browser that watches a device, and its lines."""
    (device, _), token = product.enroll("watched")[0], product.api_token()
    with (
        product.client(token) as client,
        client.stream("GET", "/api/v1/telemetry/stream", params={"device": device}) as answer,
    ):
        assert answer.status_code == 200
        yield answer.iter_lines()


def test_ctrl_c_ends_everything(product: Product) -> None:
    """At once, although a browser holds a live view open; the next start finds all again."""
    token = product.api_token()
    before = len(product.output)
    with live_view(product) as lines:
        assert next(lines) == "retry: 2000"
        assert product.stop() == 0
        assert not [line for line in lines if line]
    assert_quiet(product.output[before:])
    with pytest.raises(httpx.ConnectError):
        httpx.get(product.url, trust_env=False)
    product.start()
    with product.client(token) as client:
        names = [device["name"] for device in client.get("/api/v1/devices?q=watched").json()["results"]]
    assert "watched" in names


def test_ctrl_c_while_it_starts(make_product: Callable[..., Product]) -> None:
    """Also before it is ready, in a home where an earlier first start was killed in its middle."""
    product = make_product()
    half_made = product.home / "postgresql-new" / "data"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18\n")
    product.start_unready()
    wait_for("a database", (EmbeddedServer(product.home).data / "PG_VERSION").exists)
    assert product.stop() == 0
    assert_quiet(product.output)
    assert "is ready" not in product.output


def test_a_database_of_ones_own(make_product: Callable[..., Product], own_database: str) -> None:
    """Its owner needs to be no superuser, and no embedded server is made."""
    product = make_product(
        FLEETKEEPER_DATABASE__URL=own_database,
        FLEETKEEPER_DATABASE__APP_URL=application_login(own_database),
        FLEETKEEPER_DATABASE__AUDIT_URL=keeper_login(own_database),
    )
    product.start()
    with product.client(product.api_token()) as client:
        assert client.get("/api/v1/devices").json()["count"] == 0
    (_, key), *_ = product.enroll("host")
    with product.client(key) as client:
        frame = {"ts": 1_000, "values": {"cpu_usage_percent": 1.0}}
        assert client.post("/api/v1/telemetry", json={"frames": [frame]}).status_code == 422
    assert product.stop() == 0
    assert_quiet(product.output)
    assert not EmbeddedServer(product.home).data.exists()
