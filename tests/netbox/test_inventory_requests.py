"""What `netbox.netbox.nb_inventory` 3.22 asks, and what it reads in the answers: for where Ansible is not at hand."""

import pytest

from tests.factories.netbox import API, make, make_connected

# Address -> what is read of each object.
REQUESTS = {
    "dcim/platforms/?limit=0": ("id", "slug"),
    "dcim/sites/?limit=0": ("id", "slug", "prefix_count", "region", "group", "time_zone", "facility"),
    "dcim/regions/?limit=0": ("id", "slug", "parent"),
    "dcim/site-groups/?limit=0": ("id", "slug", "parent"),
    "dcim/locations/?limit=0": ("id", "slug", "parent", "site"),
    "tenancy/tenants/?limit=0": ("id", "slug"),
    "dcim/racks/?limit=0": ("id", "name", "role", "group"),
    "dcim/device-roles/?limit=0": ("id", "slug"),
    "dcim/device-types/?limit=0": ("id", "slug"),
    "dcim/manufacturers/?limit=0": ("id", "slug"),
    "virtualization/clusters/?limit=0": ("id", "type", "group"),
    "virtualization/virtual-disks/?limit=0": ("id", "virtual_machine"),
    "ipam/services/?limit=0": ("id", "parent_object_type", "parent_object_id"),
    "ipam/services/?limit=0&parent_object_id={device}": ("id",),
    "ipam/prefixes": ("id", "scope_type", "scope"),
    "dcim/interfaces/?limit=0": ("id", "device", "count_ipaddresses", "tags"),
    "dcim/interfaces/?limit=0&device_id={device}": ("id", "device", "count_ipaddresses", "tags"),
    "virtualization/interfaces/?limit=0&virtual_machine_id={vm}": ("id", "virtual_machine", "tags"),
    "ipam/ip-addresses/?limit=0&assigned_to_interface=true&device_id={device}&device_id={vm}": (
        "id", "address", "dns_name", "assigned_object_type", "assigned_object_id", "assigned_object",
    ),
    "dcim/devices/?limit=0&has_primary_ip=true&exclude=config_context": (
        "id", "name", "status", "site", "tenant", "platform", "role", "device_type", "tags", "custom_fields", "rack",
        "location", "primary_ip", "primary_ip4", "primary_ip6", "oob_ip", "serial", "asset_tag", "cluster",
        "virtual_chassis", "local_context_data",
    ),
    "virtualization/virtual-machines/?limit=0&name={name}": (
        "id", "name", "status", "site", "cluster", "device", "role", "vcpus", "memory", "disk", "primary_ip", "tags",
        "custom_fields",
    ),
}  # fmt: skip


@pytest.fixture
async def known(admin) -> dict[str, object]:
    made = await make_connected(
        admin, "sw-1", "192.0.2.1/24", site=(await make(admin, "dcim/sites", name="A"))["id"]
    )
    number = made["device"]["id"]
    await admin.patch(f"{API}/dcim/devices/{number}/", json={"primary_ip4": made["address"]["id"]})
    vm = await make(admin, "virtualization/virtual-machines", name="vm-1", device=number)
    await make(admin, "virtualization/interfaces", virtual_machine=vm["id"], name="ens3")
    return {"device": number, "vm": vm["id"], "name": "vm-1"}


@pytest.mark.parametrize(("path", "fields"), REQUESTS.items(), ids=list(REQUESTS))
async def test_request(admin, known, path, fields):
    answer = await admin.get(f"{API}/{path.format(**known)}")
    assert answer.status_code == 200, answer.text
    page = answer.json()
    assert page["next"] is None
    expected = "services" not in path and "racks" not in path and "prefixes" not in path
    empty = ("regions", "site-groups", "locations", "tenants", "platforms", "virtual-disks")
    assert bool(page["results"]) is (expected and not any(one in path for one in empty))
    for row in page["results"]:
        assert set(fields) <= set(row)


async def test_description_names_the_filters(anonymous):
    document = (await anonymous.get(f"{API}/schema/?format=json")).json()
    assert document["info"]["version"].startswith("4.")
    for kind in ("dcim/devices", "virtualization/virtual-machines"):
        parameters = document["paths"][f"{API}/{kind}/"]["get"]["parameters"]
        assert {"site", "role", "tag", "has_primary_ip", "status__n"} <= {one["name"] for one in parameters}


async def test_several_devices_in_one_address(admin, known):
    answer = await admin.get(f"{API}/dcim/interfaces/?limit=0" + "&device_id=1" * 300)
    assert answer.status_code == 200
