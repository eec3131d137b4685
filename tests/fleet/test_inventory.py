"""What agents say of their machines, and what they are told."""

from uuid import UUID

import pytest
from sqlalchemy import select

from fleetkeeper.devices.models import Device, DeviceIdentity
from tests.fixtures.client import TEST_CONTEXT

PATH = "/api/v1/agent/inventory"
FULL = {
    "hostname": "web-01",
    "os_name": "Debian GNU/Linux",
    "os_version": "13",
    "cpu_cores": 8,
    "cpu_threads": 16,
    "memory_total_bytes": 17_179_869_184,
    "serial_number": "J0B5NJ2",
    "boot_time": 1_795_132_800.0,
    "agent_version": "0.1.0",
    "gpu_models": ["A100"],
    "capabilities": {"perf_events": True},
    "interfaces": [{"name": "eth0", "mac_address": "00:1b:44:11:3a:b7", "ip_addresses": ["192.0.2.7"]}],
}
COLLECTORS = [{"name": "gpu", "status": "unavailable", "reason": "no driver"}]


@pytest.fixture
async def machine(shared):
    """A device of the test's own."""
    from tests.fixtures.client import enroll

    enrolled = await enroll(shared.app, shared.admin, "machine-01")
    yield enrolled
    await enrolled.client.aclose()


async def report(machine, **inventory):
    body = {"inventory": {"hostname": "machine-01"} | inventory, "collectors": COLLECTORS}
    return await machine.client.post(PATH, json=body)


async def read(shared, machine) -> dict:
    return (await shared.admin.get(f"/api/v1/devices/{machine.id}")).json()


class TestEvidence:
    async def test_what_a_machine_shows_no_more_is_forgotten(self, shared, machine):
        """Else one that invents serial numbers would leave one more with each report."""
        for serial in ("J0B5NJ2", "K1C6OK3"):
            assert (await report(machine, **FULL | {"serial_number": serial})).status_code == 204
        async with shared.app.state.database.session(TEST_CONTEXT) as session:
            found = await session.scalars(
                select(DeviceIdentity.value).where(
                    DeviceIdentity.device_id == UUID(machine.id), DeviceIdentity.kind == "serial"
                )
            )
            assert list(found) == ["K1C6OK3"]


class TestInventory:
    async def test_everything_is_stored(self, shared, machine):
        assert (await report(machine, **FULL)).status_code == 204
        device = await read(shared, machine)
        for name in (
            "os_name",
            "os_version",
            "cpu_cores",
            "memory_total_bytes",
            "gpu_models",
            "capabilities",
        ):
            assert device[name] == FULL[name]
        assert device["boot_time"] == "2026-11-20T00:00:00Z"
        assert device["interfaces"][0]["ip_addresses"] == ["192.0.2.7"]
        (agent,) = [
            item
            for item in (await shared.admin.get("/api/v1/agents", params={"limit": 1000})).json()["results"]
            if item["device_id"] == machine.id
        ]
        assert agent["version"] == "0.1.0"
        assert agent["collectors"] == COLLECTORS

    async def test_null_never_overwrites(self, shared, machine):
        await report(machine, **FULL)
        before = await read(shared, machine)
        nothing = {name: None for name, value in FULL.items() if not isinstance(value, list | dict)}
        empty = {name: type(value)() for name, value in FULL.items() if isinstance(value, list | dict)}
        assert (await report(machine, **(nothing | empty | {"hostname": "web-01"}))).status_code == 204
        assert await read(shared, machine) == before

    async def test_same_report_again_makes_no_version(self, shared, machine):
        await report(machine, **FULL)
        version = (await read(shared, machine))["version"]
        await report(machine, **FULL)
        assert (await read(shared, machine))["version"] == version
        await report(machine, **(FULL | {"os_version": "14"}))
        assert (await read(shared, machine))["version"] == version + 1

    async def test_name_that_a_person_gave_stays(self, shared, machine):
        await shared.admin.patch(f"/api/v1/devices/{machine.id}", json={"name": "the printer's server"})
        await report(machine, hostname="renamed")
        device = await read(shared, machine)
        assert (device["name"], device["hostname"]) == ("the printer's server", "renamed")

    @pytest.mark.parametrize("text", ["<script>alert(1)</script>", "\u202egnp.exe", "'; --", "🖥️", "x" * 300])
    async def test_hostile_text_is_kept_as_text(self, shared, machine, text):
        inventory = FULL | {
            "os_name": text,
            "serial_number": text,
            "gpu_models": [text],
            "capabilities": {text: True},
        }
        assert (await report(machine, **inventory)).status_code == 204
        device = await read(shared, machine)
        assert device["os_name"] == device["serial_number"] == device["gpu_models"][0] == text

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"os_name": "x" * 10_000}, "inventory.os_name"),
            ({"os_name": "a\x00b"}, "body"),
            ({"capabilities": {"a\x00": True}}, "body"),
            ({"cpu_cores": "8"}, "inventory.cpu_cores"),
            ({"cpu_cores": 2**31}, "inventory.cpu_cores"),
            ({"cpu_threads": -1}, "inventory.cpu_threads"),
            ({"memory_total_bytes": 2**63}, "inventory.memory_total_bytes"),
            ({"memory_total_bytes": -1}, "inventory.memory_total_bytes"),
            ({"boot_time": 1e300}, "inventory.boot_time"),
            ({"boot_time": -1e12}, "inventory.boot_time"),
            ({"interfaces": [{"name": "e"}] * 501}, "inventory.interfaces"),
            ({"gpu_models": ["x"] * 1001}, "inventory.gpu_models"),
            ({"volumes": [{"name": "/", "kind": "filesystem"}] * 501}, "inventory.volumes"),
            ({"components": [{"kind": "disk", "slot": "s"}] * 501}, "inventory.components"),
            ({"containers": [{"runtime": "lxc", "container_id": "c"}] * 501}, "inventory.containers"),
            ({"facts": {str(number): 1 for number in range(201)}}, "inventory.facts"),
            ({"facts": {"a": "x" * 4001}}, "inventory.facts[...]"),
            ({"facts": {"a": 2**63}}, "inventory.facts[...]"),
            ({"facts": {"a": ["x\x00"]}}, "body"),
        ],
    )
    async def test_value_that_does_not_fit(self, shared, machine, change, field):
        answer = await report(machine, **change)
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["field"] == field

    async def test_a_machine_stores_its_own_parts_and_containers(self, shared, machine):
        told = FULL | {
            "volumes": [{"name": "/", "kind": "filesystem", "capacity_bytes": 100}],
            "components": [{"kind": "disk", "slot": "0000:00:1f.2", "serial_number": "WD-1"}],
            "facts": {"kernel.release": "6.1.0"},
            "containers": [{"runtime": "docker", "container_id": "ab" * 32, "process": "nginx"}],
        }
        for _ in range(2):
            assert (await report(machine, **told)).status_code == 204
        of_machine = {"device_id": machine.id}
        for path, name, value in (
            ("storage-volumes", "mount_point", None),
            ("hardware-components", "serial_number", "WD-1"),
            ("network-interfaces", "interface_name", "eth0"),
        ):
            (found,) = (await shared.admin.get(f"/api/v1/{path}", params=of_machine)).json()["results"]
            assert found[name] == value
        (hosts,) = (await shared.admin.get("/api/v1/device-relationships", params=of_machine)).json()[
            "results"
        ]
        container = (await shared.admin.get(f"/api/v1/devices/{hosts['child_device_id']}")).json()
        assert (container["name"], container["device_type"]) == ("nginx-abababababab", "container")
        answer = await shared.admin.delete(
            f"/api/v1/devices/{machine.id}", headers={"X-Change-Reason": "Sold"}
        )
        assert answer.status_code == 204
        assert (await shared.admin.get(f"/api/v1/devices/{container['id']}")).status_code == 404

    async def test_device_was_deleted_meanwhile(self, shared, machine):
        assert (
            await shared.admin.delete(f"/api/v1/devices/{machine.id}", headers={"X-Change-Reason": "Sold"})
        ).status_code == 204
        assert (await report(machine)).status_code == 401
        async with shared.app.state.database.session(TEST_CONTEXT) as session:
            assert await session.scalar(select(Device).where(Device.id == machine.id)) is None


class TestConfiguration:
    async def test_same_tag_needs_no_body(self, machine):
        first = await machine.client.get("/api/v1/agent/config")
        assert first.json()["interval_seconds"] == 5
        again = await machine.client.get(
            "/api/v1/agent/config", headers={"If-None-Match": first.headers["etag"]}
        )
        assert (again.status_code, again.content) == (304, b"")

    async def test_change_gives_another_tag(self, app, admin, device):
        first = await device.client.get("/api/v1/agent/config")
        await admin.patch("/api/v1/config/sampling", json={"interval_seconds": 60})
        headers = {"If-None-Match": first.headers["etag"]}
        second = await device.client.get("/api/v1/agent/config", headers=headers)
        assert second.json()["interval_seconds"] == 60
        assert second.headers["etag"] != first.headers["etag"]
