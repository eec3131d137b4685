"""Ansible's own collection for NetBox: its inventory finds the fleet here, and its modules change it, once."""

import json
import os
import re
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from tests.factories.netbox import API
from tests.fixtures.peers import collections_folder


@pytest.fixture
def name() -> str:
    """A beginning of names that no other test has."""
    return f"t{uuid.uuid4().hex[:8]}"


@pytest.fixture
def token(product) -> str:
    return product.api_token()


@pytest.fixture
def ansible(tmp_path):
    """Runs a program of Ansible."""

    def run(program: str, *arguments: str) -> str:
        path = Path(sys.executable).with_name(program)
        done = subprocess.run(
            [str(path), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            env={
                **os.environ,
                "ANSIBLE_COLLECTIONS_PATH": collections_folder(),
                "ANSIBLE_LOCAL_TEMP": str(tmp_path / "temp"),
                "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
                "HOME": str(tmp_path),
                "LC_ALL": "C.UTF-8",
            },
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def tasks(name: str) -> list[dict]:
    """A site with a switch and a virtual machine, as a playbook describes them."""
    site, role, model = f"{name} Hamburg", f"{name} Spine", f"{name} QFX"
    data = [
        ("site", {"name": site, "status": "active"}),
        ("location", {"name": f"{name} Room", "site": site}),
        ("manufacturer", {"name": f"{name} Juniper"}),
        ("device_type", {"manufacturer": f"{name} Juniper", "model": model}),
        ("device_role", {"name": role, "color": "00ff00"}),
        ("platform", {"name": f"{name} Junos"}),
        ("tag", {"name": f"{name} fabric"}),
        (
            "custom_field",
            {
                "name": f"{name}_row",
                "type": "text",
                "object_types": ["dcim.device", "virtualization.virtualmachine"],
            },
        ),
        (
            "device",
            {
                "name": f"{name}-sw",
                "site": site,
                "location": f"{name} Room",
                "device_type": model,
                "device_role": role,
                "platform": f"{name} Junos",
                "status": "Staged",
                "serial": "S-77",
                "tags": [f"{name}-fabric"],
                "comments": "From a playbook",
                "custom_fields": {f"{name}_row": "7"},
            },
        ),
        (
            "device_interface",
            {"device": f"{name}-sw", "name": "xe-0/0/1", "type": "10GBASE-T (10GE)", "mtu": 9000},
        ),
        (
            "ip_address",
            {"address": "192.0.2.50/24", "assigned_object": {"name": "xe-0/0/1", "device": f"{name}-sw"}},
        ),
        ("device", {"name": f"{name}-sw", "primary_ip4": "192.0.2.50/24"}),
        (
            "virtual_machine",
            {"name": f"{name}-vm", "site": site, "vcpus": 2, "memory": 2048, "status": "active"},
        ),
        ("vm_interface", {"virtual_machine": f"{name}-vm", "name": "ens3"}),
    ]
    return [{f"netbox.netbox.netbox_{kind}": {"data": wanted}} for kind, wanted in data]


def test_modules_make_what_a_playbook_describes_and_nothing_more(product, token, ansible, name, tmp_path):
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "module_defaults": {
            "group/netbox.netbox.netbox": {"netbox_url": f"{product.url}/netbox", "netbox_token": token}
        },
        "tasks": tasks(name),
    }
    file = tmp_path / "play.yml"
    # JSON is YAML.
    file.write_text(json.dumps([play]))
    count = len(play["tasks"])
    first = ansible("ansible-playbook", "-i", "localhost,", str(file))
    assert recap(first) == (count, count)
    again = ansible("ansible-playbook", "-i", "localhost,", str(file))
    assert recap(again) == (count, 0)
    with product.client(token) as client:
        (device,) = client.get(f"{API}/dcim/devices/", params={"name": f"{name}-sw"}).json()["results"]
    assert (device["status"]["value"], device["primary_ip"]["address"]) == ("staged", "192.0.2.50/24")
    assert device["custom_fields"][f"{name}_row"] == "7"
    assert device["location"]["name"] == f"{name} Room"


def unmarked(value: dict) -> object:
    """What is marked as no template, without the mark."""
    return value.get("__ansible_unsafe", value)


def recap(output: str) -> tuple[int, ...]:
    """How many tasks went well, and how many of these changed something."""
    found = re.search(r"ok=(\d+) +changed=(\d+) ", output)
    assert found is not None, output
    return tuple(map(int, found.groups()))


def make_fleet(client, name: str) -> None:
    """A switch that can be reached, and a virtual machine on it."""

    def post(path: str, **fields) -> dict:
        return client.post(f"{API}/{path}/", json=fields).raise_for_status().json()

    site = post("dcim/sites", name=f"{name} Berlin", slug=f"{name}-ber")
    tag = post("extras/tags", name=f"{name} prod")
    device = post(
        "dcim/devices",
        name=f"{name}-sw",
        site=site["id"],
        tags=[tag["id"]],
        local_context_data={"ntp": "192.0.2.1"},
    )
    interface = post("dcim/interfaces", device=device["id"], name="eth0", type="1000base-t")
    address = post(
        "ipam/ip-addresses",
        address="192.0.2.10/24",
        assigned_object_type="dcim.interface",
        assigned_object_id=interface["id"],
        dns_name="sw.example.com",
    )
    client.patch(
        f"{API}/dcim/devices/{device['id']}/", json={"primary_ip4": address["id"]}
    ).raise_for_status()
    post("virtualization/virtual-machines", name=f"{name}-vm", site=site["id"], device=device["id"], vcpus=2)


@pytest.mark.parametrize("fetch_all", [True, False])
def test_inventory(product, token, ansible, name, tmp_path, fetch_all):
    with product.client(token) as client:
        make_fleet(client, name)
    file = tmp_path / "fleet.nb_inventory.yml"
    config = {
        "plugin": "netbox.netbox.nb_inventory",
        "api_endpoint": f"{product.url}/netbox",
        "token": token,
        "plurals": False,
        "config_context": True,
        "interfaces": True,
        "services": True,
        "racks": True,
        "prefixes": True,
        "dns_name": True,
        "fetch_all": fetch_all,
        "group_by": ["site", "role", "tag", "status", "cluster", "is_virtual"],
        "query_filters": [{"site": f"{name}-ber"}],
    }
    file.write_text(json.dumps(config))
    # The plugin marks all that NetBox says as no template.
    told = json.loads(ansible("ansible-inventory", "-i", str(file), "--list"), object_hook=unmarked)
    both = [f"{name}-sw", f"{name}-vm"]
    assert sorted(told[f"site_{name}-ber"]["hosts"]) == both
    assert told[f"tag_{name}-prod"]["hosts"] == [f"{name}-sw"]
    assert sorted(told[f"cluster_{name}-sw"]["hosts"]) == both
    assert told["is_virtual"]["hosts"] == [f"{name}-vm"]
    switch, machine = (told["_meta"]["hostvars"][host] for host in both)
    assert (switch["ansible_host"], switch["dns_name"]) == ("192.0.2.10", "sw.example.com")
    assert switch["config_context"] == {"ntp": "192.0.2.1"}
    (interface,) = switch["interfaces"]
    assert [one["address"] for one in interface["ip_addresses"]] == ["192.0.2.10/24"]
    assert (machine["cluster"], machine["is_virtual"]) == (f"{name}-sw", True)
