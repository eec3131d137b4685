"""Lists: pages, views, and as many statements for a hundred objects as for one."""

import asyncio
from urllib.parse import parse_qsl, urlsplit

import pytest
from sqlalchemy import event

from tests.factories.netbox import API, make, make_connected, names

DEVICES = f"{API}/dcim/devices/"
# So many statements, whatever the number of objects; who calls is looked up by one more.
STATEMENTS = {
    "dcim/devices": 13,
    "dcim/interfaces": 6,
    "dcim/sites": 5,
    "ipam/ip-addresses": 5,
    "virtualization/virtual-machines": 15,
}


async def statements_of(app, client, path) -> int:
    statements, own_task = [], asyncio.current_task()

    def note(_connection, _cursor, statement, *_):
        if asyncio.current_task() is own_task:
            statements.append(statement)

    engine = app.state.database.engine.sync_engine
    await client.get(path)
    event.listen(engine, "before_cursor_execute", note)
    try:
        assert (await client.get(path)).status_code == 200
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(statements)


@pytest.fixture
async def fleet(admin):
    """Twelve devices in four sites, each with tags, an address and a machine that it hosts."""
    tag = await make(admin, "extras/tags", name="Web")
    sites = [await make(admin, "dcim/sites", name=f"Site {number}") for number in range(4)]
    for number in range(12):
        own = {"site": sites[number % 4]["id"], "tags": [tag["id"]]}
        made = await make_connected(admin, f"d{number:02}", f"192.0.2.{number + 1}/24", **own)
        where = f"{DEVICES}{made['device']['id']}/"
        answer = await admin.patch(where, json={"primary_ip4": made["address"]["id"]})
        assert answer.json()["primary_ip"]["address"] == f"192.0.2.{number + 1}/24"
        await make(
            admin, "virtualization/virtual-machines", name=f"vm{number:02}", device=made["device"]["id"]
        )


@pytest.mark.parametrize("path", sorted(STATEMENTS))
async def test_statements_do_not_grow_with_the_page(app, admin, fleet, path):
    one = await statements_of(app, admin, f"{API}/{path}/?limit=1")
    all_of_them = await statements_of(app, admin, f"{API}/{path}/?limit=0")
    assert one == all_of_them
    assert all_of_them <= STATEMENTS[path]


class TestPages:
    async def test_links_lead_through_all(self, admin, fleet):
        found, where = [], f"{DEVICES}?limit=5&name__isw=d"
        while where:
            parts = urlsplit(where)
            page = (await admin.get(parts.path, params=parse_qsl(parts.query))).json()
            assert page["count"] == 12
            found += [one["name"] for one in page["results"]]
            where = page["next"]
        assert found == [f"d{number:02}" for number in range(12)]
        page = (await admin.get(f"{DEVICES}?limit=5&offset=10")).json()
        assert page["next"] is None
        assert "offset=5" in page["previous"]

    async def test_limits(self, admin, fleet):
        for limit, count in (("", 12), ("0", 12), ("3", 3), ("100000", 12)):
            assert len(await names(admin, "dcim/devices", limit=limit)) == count
        for limit in ("-1", "x", "1.5", "9" * 40):
            answer = await admin.get(f"{DEVICES}?limit={limit}")
            assert (answer.status_code, list(answer.json())) == (400, ["limit"])

    async def test_far_beyond_the_end(self, admin, fleet):
        page = (await admin.get(f"{DEVICES}?offset=1000000")).json()
        assert (page["count"], page["results"], page["next"]) == (12, [], None)

    async def test_orderings(self, admin, fleet):
        shown = await names(admin, "dcim/devices", ordering="-name", limit=2)
        assert shown == ["d11", "d10"]
        assert (await admin.get(f"{DEVICES}?ordering=colour")).status_code == 400


class TestViews:
    async def test_brief_fields_and_exclude(self, admin):
        await make(admin, "dcim/devices", name="a")

        async def keys(query):
            (row,) = (await admin.get(f"{DEVICES}?{query}")).json()["results"]
            return set(row)

        assert await keys("brief=true") == {"id", "url", "display", "name", "description"}
        assert await keys("fields=id,name,nothing") == {"id", "name"}
        everything = await keys("")
        assert everything - await keys("exclude=config_context") == {"config_context"}
        assert everything - await keys("omit=tags,site") == {"tags", "site"}

    async def test_paths_without_the_last_slash(self, admin):
        answer = await admin.get(f"{API}/ipam/prefixes")
        assert (answer.status_code, answer.json()["count"]) == (200, 0)
        answer = await admin.get(f"{API}/dcim/devices", follow_redirects=True)
        assert (answer.status_code, answer.json()["count"]) == (200, 0)


class TestTags:
    async def test_several_tags_are_all_wanted(self, admin):
        web, prod = [await make(admin, "extras/tags", name=name) for name in ("Web", "Prod")]
        await make(admin, "dcim/devices", name="both", tags=[web["id"], prod["id"]])
        await make(admin, "dcim/devices", name="one", tags=[web["id"]])
        await make(admin, "dcim/devices", name="none")
        assert await names(admin, "dcim/devices", tag=["web", "prod"]) == ["both"]
        assert await names(admin, "dcim/devices", tag="web") == ["both", "one"]
        assert await names(admin, "dcim/devices", tag__n="prod") == ["none", "one"]
        assert await names(admin, "dcim/devices", tag="null") == ["none"]

    async def test_a_color_becomes_the_nearest(self, admin):
        made = await make(admin, "extras/tags", name="Danger", color="ff1111")
        assert made["color"] == "f44336"


class TestPlaces:
    async def test_a_site_has_what_is_in_its_locations(self, admin):
        site = await make(admin, "dcim/sites", name="Berlin")
        room = await make(admin, "dcim/locations", name="Room 1", site=site["id"])
        await make(admin, "dcim/devices", name="a", site=site["id"], location=room["id"])
        await make(admin, "dcim/devices", name="b", site=site["id"])
        assert await names(admin, "dcim/devices", site="berlin") == ["a", "b"]
        assert await names(admin, "dcim/devices", location="room-1") == ["a"]
        assert (await admin.get(f"{API}/dcim/sites/{site['id']}/")).json()["device_count"] == 2
        assert await names(admin, "dcim/devices", site="null") == []

    async def test_a_location_of_another_site_is_refused(self, admin):
        first, second = [await make(admin, "dcim/sites", name=name) for name in ("A", "B")]
        room = await make(admin, "dcim/locations", name="Room", site=first["id"])
        answer = await admin.post(DEVICES, json={"name": "x", "site": second["id"], "location": room["id"]})
        assert (answer.status_code, list(answer.json())) == (400, ["location"])


class TestRoles:
    @pytest.mark.parametrize(
        ("role", "kind"),
        [
            ("Leaf switch", "network_device"),
            ("NAS", "storage"),
            ("Laptop", "workstation"),
            ("Toaster", "other"),
        ],
    )
    async def test_a_role_says_what_kind_of_machine_it_is(self, admin, role, kind):
        made = await make(admin, "dcim/device-roles", name=role)
        device = await make(admin, "dcim/devices", name="a", role=made["id"])
        ours = (await admin.get(f"/api/v1/devices/{device['display_url'].rpartition('/')[2]}")).json()
        assert ours["device_type"] == kind
        assert device["role"]["name"] == role
        assert await names(admin, "dcim/devices", role_id=made["id"]) == ["a"]


class TestAddresses:
    async def test_found_whatever_the_prefix(self, admin):
        await make_connected(admin, "a", "192.0.2.10/24")
        await make_connected(admin, "b", "2001:db8::10/64")
        assert await names(admin, "ipam/ip-addresses", address="192.0.2.10") == ["192.0.2.10/24"]
        assert await names(admin, "ipam/ip-addresses", address="192.0.2.10/32") == []
        assert await names(admin, "ipam/ip-addresses", address="2001:DB8:0::10") == ["2001:db8::10/64"]
        assert await names(admin, "dcim/devices", q="192.0.2.10") == ["a"]
        assert await names(admin, "dcim/devices", q="192.0.2.1") == []
