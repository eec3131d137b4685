"""`fleetkeeper device …`, and devices by name wherever a command takes one."""

from uuid import uuid4

import psycopg
import pytest

from tests.cli.test_administration import read, refused, run
from tests.factories.telemetry import make_device


@pytest.fixture
def made(product):
    """Makes a device with this name; returns its ID."""

    def make(name: str) -> str:
        with psycopg.connect(product.database_url, autocommit=True) as connection:
            return str(make_device(connection, name))

    return make


@pytest.fixture
def name() -> str:
    return f"host-{uuid4().hex[:12]}"


def test_the_life_of_a_device(product, made, name):
    device = made(name)
    (listed,) = read(product, "device", "list", "--q", name)
    assert (listed["id"], listed["name"]) == (device, name)
    assert device in run(product, "device", "list", "--q", name).stdout
    run(product, "device", "update", name, "--location", "Rack 7", "--type", "vm")
    shown = read(product, "device", "show", device)
    assert (shown["location"], shown["device_type"]) == ("Rack 7", "vm")
    assert "--reason" in refused(product, "device", "delete", name, "--yes")
    assert name in run(product, "device", "delete", name, "--reason", "sold", "--yes").stdout
    assert f"There is no device '{name}'" in refused(product, "device", "show", name)


def test_a_device_is_added_cloned_and_compared(product, name):
    added = read(product, "device", "create", name, "--type", "network_device", "--model", "Nexus 9000")
    assert (added["device_type"], added["model"], added["source_system"]) == (
        "network_device",
        "Nexus 9000",
        "manual",
    )
    clone = read(product, "device", "clone", name, f"{name}-2")
    assert clone["model"] == "Nexus 9000"
    then = added["updated_at"]
    run(product, "device", "update", name, "--location", "Rack 7")
    (changed,) = read(product, "device", "diff", name, "--from", then)
    assert changed["fields"] == [{"field": "location", "before": None, "after": "Rack 7"}]
    assert "Rack 7" in run(product, "device", "diff", name, "--from", then).stdout
    assert read(product, "device", "show", name, "--as-of", then)["location"] is None
    assert "--from" in refused(product, "device", "diff", name, "--from", "yesterday")
    assert "name" in refused(product, "device", "create", name)


@pytest.mark.parametrize(
    "command",
    [
        ("device", "show", "{}"),
        ("telemetry", "delete", "--device", "{}", "--dry-run"),
        ("telemetry", "states", "{}"),
        ("archive", "policies", "explain", "--device", "{}", "--metric", "cpu_usage_percent"),
        ("audit", "list", "--device", "{}"),
    ],
)
def test_a_name_will_do_and_one_that_several_have_lists_them(product, made, name, command):
    first = made(name)
    words = [word.format(name) for word in command]
    run(product, *words)
    second = made(name)
    message = refused(product, *words)
    assert first in message
    assert second in message


def test_an_export_takes_names(product, made, name, tmp_path):
    made(name)
    span = ("--from", "1700000000", "--to", "1700000100")
    assert "has_no_such_name" in refused(
        product, "telemetry", "export", str(tmp_path / "x.csv"), *span, "--device", "has_no_such_name"
    )
    run(product, "telemetry", "export", str(tmp_path / "x.csv"), *span, "--device", name)
