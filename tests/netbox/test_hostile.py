"""Inputs that no client of NetBox would send: each is refused by name, in NetBox's shape, and does nothing."""

import json

import pytest

from tests.factories.netbox import API, make, names

NUMBERS = ["0", "-1", "99999999999999999999", "9223372036854775808", "1e3", "abc", "٣", "%00", "1'--"]
VALUES = [
    None,
    True,
    0,
    -1,
    2**70,
    1.5,
    "",
    "\0",
    "\ud800",
    "x" * 5000,
    [],
    {},
    [[]],
    {"id": {}},
    {"id": -1},
    {"name": []},
]
ANY_VALUES = ("null", "1", "x", "'\"%_\\", "9" * 30, "1,2", "true")
BODIES = ["", "{", "null", "[]", "[1]", "[[]]", '"x"', "1e999", '{"name": NaN}', "[" * 5000]


@pytest.fixture
async def device(admin):
    return await make(admin, "dcim/devices", name="a")


@pytest.mark.parametrize("number", NUMBERS)
async def test_numbers_that_are_none(admin, number):
    for method in ("GET", "PATCH", "DELETE"):
        answer = await admin.request(
            method, f"{API}/dcim/devices/{number}/", json={} if method == "PATCH" else None
        )
        assert answer.status_code == 404, (method, answer.text)


@pytest.mark.parametrize("body", BODIES)
async def test_bodies_that_are_none(admin, body):
    for method, path in (("POST", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "1/")):
        answer = await admin.request(
            method, f"{API}/dcim/devices/{path}", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code in {200, 201, 204, 400, 404, 405}, (method, path, answer.text)
        assert answer.status_code != 201 or answer.json() == []
    assert await names(admin, "dcim/devices") == []


FIELDS = {
    "dcim/devices": (
        "name", "role", "device_type", "site", "location", "tenant", "platform", "serial", "asset_tag", "status",
        "tags", "custom_fields", "comments", "description", "local_context_data", "primary_ip4", "rack",
    ),
    "virtualization/virtual-machines": ("name", "vcpus", "memory", "disk", "cluster", "device", "role"),
    "dcim/interfaces": ("device", "name", "type", "enabled", "mtu", "mac_address", "speed", "label", "mgmt_only"),
    "ipam/ip-addresses": ("address", "assigned_object_type", "assigned_object_id", "status", "dns_name"),
    "dcim/mac-addresses": ("mac_address", "assigned_object_type", "assigned_object_id"),
    "dcim/sites": ("name", "slug", "status", "tenant", "physical_address"),
    "dcim/locations": ("name", "site", "parent", "slug"),
    "dcim/manufacturers": ("name", "slug", "description"),
    "dcim/device-types": ("manufacturer", "model", "slug", "u_height", "part_number"),
    "dcim/device-roles": ("name", "slug", "color", "vm_role"),
    "dcim/platforms": ("name", "slug"),
    "extras/tags": ("name", "slug", "color"),
    "extras/custom-fields": ("name", "type", "object_types", "required", "default", "weight", "choices"),
}  # fmt: skip


@pytest.mark.parametrize(("path", "fields"), FIELDS.items(), ids=list(FIELDS))
async def test_values_that_are_none(shared, path, fields):
    for field in fields:
        for value in VALUES:
            body = {"name": "x", "slug": "x", "model": "x", field: value}
            answer = await shared.admin.post(
                f"{API}/{path}/", content=json.dumps(body), headers={"Content-Type": "application/json"}
            )
            assert answer.status_code in {201, 400}, (field, value, answer.status_code, answer.text)
            if answer.status_code == 201:
                await shared.admin.delete(f"{API}/{path}/{answer.json()['id']}/")


async def test_changes_that_are_none(admin, device):
    for field in FIELDS["dcim/devices"]:
        for value in VALUES:
            answer = await admin.patch(
                f"{API}/dcim/devices/{device['id']}/",
                content=json.dumps({field: value}),
                headers={"Content-Type": "application/json"},
            )
            assert answer.status_code in {200, 400}, (field, value, answer.text)


@pytest.mark.parametrize(
    "path", ["dcim/devices", "virtualization/virtual-machines", "dcim/interfaces", "ipam/ip-addresses", "dcim/sites",
             "dcim/manufacturers", "dcim/device-types", "extras/tags", "extras/custom-fields", "dcim/mac-addresses",
             "virtualization/clusters", "dcim/locations", "virtualization/interfaces"],
)  # fmt: skip
async def test_filters_with_any_value_answer(shared, path):
    options = (await shared.admin.get(f"{API}/schema/")).json()["paths"][f"{API}/{path}/"]["get"][
        "parameters"
    ]
    # Each with two of them: what reads a value is the same code for all names of a kind.
    for place, name in enumerate(dict.fromkeys(one["name"] for one in options)):
        for value in (ANY_VALUES[place % len(ANY_VALUES)], ANY_VALUES[(place + 3) % len(ANY_VALUES)]):
            answer = await shared.admin.get(f"{API}/{path}/", params={name: value})
            assert answer.status_code in {200, 400}, (name, value, answer.text)


async def test_context_data_that_is_too_much(admin, device):
    where = f"{API}/dcim/devices/{device['id']}/"
    deep: dict = {}
    for _ in range(30):
        deep = {"a": deep}
    for value in (deep, {"a": "x" * 70_000}, {"a\0": 1}, {"a": ["\0"]}):
        answer = await admin.patch(where, json={"local_context_data": value})
        assert (answer.status_code, list(answer.json())) == (400, ["local_context_data"])


async def test_too_many_at_once(admin):
    answer = await admin.post(f"{API}/dcim/devices/", json=[{"name": f"d{number}"} for number in range(501)])
    assert answer.status_code == 400
    assert "At most 500" in answer.text


async def test_a_token_in_the_address(anonymous):
    answer = await anonymous.get(f"{API}/dcim/devices/?token=fkt_x")
    assert answer.status_code == 400


async def test_markup_stays_text(admin):
    made = await make(admin, "dcim/devices", name="<script>alert(1)</script>", description="=cmd()")
    answer = await admin.get(f"{API}/dcim/devices/{made['id']}/")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["name"] == "<script>alert(1)</script>"


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("dcim/devices", "vcpus=3000000000"),
        ("virtualization/virtual-machines", "vcpus__gt=3000000000"),
        ("dcim/interfaces", "mtu=3000000000"),
        ("dcim/interfaces", "speed=9000000000000000"),
        ("dcim/devices", "q=fe80::1%25eth0"),
    ],
)
async def test_what_fits_no_column_fits_nothing(admin, device, path, query):
    answer = await admin.get(f"{API}/{path}/?{query}")
    assert (answer.status_code, answer.json()["count"]) == (200, 0)
