"""What one department has, another neither sees nor changes nor finds out about by filters."""

import pytest

from tests.factories.devices import neighbors
from tests.factories.netbox import API, make, make_connected, names


@pytest.fixture
async def sides(app):
    async with neighbors(app) as people:
        yield people


@pytest.fixture
async def secret(sides):
    return await make_connected(sides.south, "south-01", "192.0.2.1/24", serial="SECRET")


class TestReading:
    @pytest.mark.parametrize(
        "path", ["dcim/devices", "dcim/interfaces", "ipam/ip-addresses", "dcim/mac-addresses"]
    )
    async def test_lists_and_counts_leave_others_out(self, sides, secret, path):
        assert len(await names(sides.south, path)) == 1
        answer = (await sides.north.get(f"{API}/{path}/")).json()
        assert (answer["count"], answer["results"]) == (0, [])

    async def test_get_answers_as_if_it_were_not_there(self, sides, secret):
        for path, key in (
            ("dcim/devices", "device"),
            ("dcim/interfaces", "interface"),
            ("ipam/ip-addresses", "address"),
            ("dcim/mac-addresses", "interface"),
        ):
            answer = await sides.north.get(f"{API}/{path}/{secret[key]['id']}/")
            assert answer.status_code == 404, path
            assert list(answer.json()) == ["detail"]

    async def test_names_that_only_others_devices_have(self, sides):
        maker = await make(sides.south, "dcim/devices", name="a")
        await sides.south.patch(
            f"/api/v1/devices/{maker['display_url'].rpartition('/')[2]}", json={"manufacturer": "ACME"}
        )
        assert await names(sides.south, "dcim/manufacturers") == ["ACME"]
        assert await names(sides.north, "dcim/manufacturers") == []

    async def test_tenants_are_those_with_devices_that_one_may_see(self, sides):
        assert len(await names(sides.south, "tenancy/tenants")) == 1

    async def test_filters_by_others_objects_find_nothing(self, sides, secret):
        await make(sides.north, "dcim/devices", name="north-01")
        number, other = secret["device"]["id"], secret["address"]["id"]
        assert await names(sides.north, "dcim/interfaces", device_id=number) == []
        assert await names(sides.north, "ipam/ip-addresses", device="south-01") == []
        assert await names(sides.north, "dcim/devices", primary_ip4_id=other) == []
        assert await names(sides.north, "virtualization/virtual-machines", device_id=number) == []


class TestWriting:
    async def test_others_objects_are_not_changed(self, sides, secret):
        for path, key in (
            ("dcim/devices", "device"),
            ("dcim/interfaces", "interface"),
            ("ipam/ip-addresses", "address"),
        ):
            where = f"{API}/{path}/{secret[key]['id']}/"
            assert (await sides.north.patch(where, json={"description": "mine"})).status_code == 404
            assert (await sides.north.delete(where)).status_code == 404
            many = [{"id": secret[key]["id"], "description": "mine"}]
            assert (await sides.north.patch(f"{API}/{path}/", json=many)).status_code == 404
            assert (await sides.north.request("DELETE", f"{API}/{path}/", json=many)).status_code == 404
        assert (await sides.south.get(f"{API}/dcim/devices/{secret['device']['id']}/")).json()[
            "description"
        ] == ""

    async def test_others_objects_are_not_referred_to(self, sides, secret):
        own = await make_connected(sides.north, "north-01", "192.0.2.2/24")
        refused = {
            f"dcim/devices/{own['device']['id']}": {"primary_ip4": secret["address"]["id"]},
            f"dcim/interfaces/{own['interface']['id']}": {"device": secret["device"]["id"]},
            f"ipam/ip-addresses/{own['address']['id']}": {
                "assigned_object_type": "dcim.interface",
                "assigned_object_id": secret["interface"]["id"],
            },
        }
        for path, body in refused.items():
            answer = await sides.north.patch(f"{API}/{path}/", json=body)
            assert answer.status_code == 400, (path, answer.text)
        vm = {"name": "vm", "device": secret["device"]["id"]}
        answer = await sides.north.post(f"{API}/virtualization/virtual-machines/", json=vm)
        assert (answer.status_code, list(answer.json())) == (400, ["device"])

    async def test_a_new_device_belongs_to_its_maker_s_department(self, sides):
        made = await make(sides.north, "dcim/devices", name="north-01")
        assert made["tenant"]["name"].startswith("North")

    async def test_a_device_is_not_put_into_others_department(self, sides):
        (south,) = (await sides.south.get(f"{API}/tenancy/tenants/")).json()["results"]
        answer = await sides.north.post(f"{API}/dcim/devices/", json={"name": "x", "tenant": south["id"]})
        assert (answer.status_code, list(answer.json())) == (400, ["tenant"])

    async def test_names_of_the_whole_installation_are_not_changed_by_a_department(self, sides, admin):
        role = await make(admin, "dcim/device-roles", name="Leaf", slug="leaf")
        where = f"{API}/dcim/device-roles/{role['id']}/"
        assert (await sides.north.patch(where, json={"slug": "mine"})).status_code == 403
        assert (await sides.north.delete(where)).status_code == 403
        assert (await admin.delete(where)).status_code == 204


class TestPermissions:
    async def test_a_viewer_reads_and_writes_nothing(self, viewer, admin):
        made = await make(admin, "dcim/devices", name="a")
        assert await names(viewer, "dcim/devices") == ["a"]
        for path in (
            "dcim/devices",
            "dcim/sites",
            "extras/tags",
            "extras/custom-fields",
            "dcim/manufacturers",
        ):
            answer = await viewer.post(f"{API}/{path}/", json={"name": "x"})
            assert (answer.status_code, list(answer.json())) == (403, ["detail"]), path
        assert (await viewer.delete(f"{API}/dcim/devices/{made['id']}/")).status_code == 403

    @pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE", "OPTIONS"])
    async def test_a_stranger_is_refused(self, anonymous, method):
        for path in ("dcim/devices/", "dcim/devices/1/", "ipam/prefixes/", "status/", ""):
            answer = await anonymous.request(method, f"{API}/{path}", json=[] if method != "GET" else None)
            assert answer.status_code in {403, 404, 405}, (path, answer.text)
            assert "detail" in answer.json()

    async def test_the_description_is_open_and_holds_no_data(self, anonymous, admin):
        await make(admin, "dcim/devices", name="hidden-name")
        answer = await anonymous.get(f"{API}/schema/")
        assert answer.status_code == 200
        assert "hidden-name" not in answer.text

    async def test_both_schemes_of_a_token(self, app, admin_token):
        async with app.client() as client:
            for scheme in ("Token", "token", "Bearer"):
                header = {"Authorization": f"{scheme} {admin_token}"}
                assert (await client.get(f"{API}/status/", headers=header)).status_code == 200
                body = {"name": f"by {scheme}"}
                answer = await client.post(f"{API}/dcim/devices/", json=body, headers=header)
                assert answer.status_code == 201
