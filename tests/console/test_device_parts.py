"""Devices that people enter, and the parts, relations and facts of devices in their tabs."""

import pytest

from tests.factories.devices import enter, relate

NEW = {
    "name": "core-switch-01",
    "device_type": "network_device",
    "lifecycle": "active",
    "model": "Nexus 9000",
}


async def test_a_device_is_added_by_the_form_and_cloned(browser, admin):
    assert "Add device" in await browser.page("/devices")
    answer = await browser.send("/devices", **NEW)
    assert answer.status_code == 204, answer.text
    device = answer.headers["HX-Redirect"].rpartition("/")[2]
    clone = await browser.send(f"/devices/{device}/clone", name="core-switch-02")
    copied = (await admin.get(f"/api/v1{clone.headers['HX-Redirect']}")).json()
    assert (copied["name"], copied["model"]) == ("core-switch-02", "Nexus 9000")


async def test_what_people_know_of_a_device_is_on_its_page(browser, admin):
    site = (await admin.post("/api/v1/locations", json={"name": "Berlin"})).json()["id"]
    more = {"owner": "Network team", "warranty_until": "2028-03-01", "asset_tag": "A-17", "location_id": site}
    device = await enter(admin, "switch-1", device_type="network_device", **more)
    page = await browser.page(f"/devices/{device}")
    for text in ("Network team", "2028-03-01", "A-17", "Berlin", "No agent reports switch-1"):
        assert text in page
    assert "systemctl" not in page


async def test_what_is_wrong_stands_at_its_field(browser, admin):
    await enter(admin, "a")
    answer = await browser.send("/devices", **NEW | {"name": "a", "warranty_until": "soon"})
    assert answer.status_code == 422
    assert 'value="a"' in answer.text
    twice = await browser.send("/devices", **NEW | {"name": "a"})
    assert twice.status_code == 409
    assert "has this name" in twice.text


@pytest.mark.parametrize(
    ("kind", "tab", "entry", "shown"),
    [
        ("network-interfaces", "network", {"interface_name": "eth7", "interface_type": "physical"}, "eth7"),
        ("storage-volumes", "storage", {"name": "lun-7", "volume_type": "lun"}, "lun-7"),
        ("hardware-components", "hardware", {"kind": "disk", "slot": "0:1", "serial_number": "S-1"}, "S-1"),
    ],
)
async def test_a_part_is_added_and_removed_in_its_tab(browser, admin, kind, tab, entry, shown):
    device = await enter(admin, "a")
    answer = await browser.send(f"/devices/{device}/parts/{kind}", **entry)
    assert answer.status_code == 204, answer.text
    assert shown in await browser.page(f"/devices/{device}?tab={tab}")
    (part,) = (await admin.get(f"/api/v1/{kind}?device_id={device}")).json()["results"]
    other = await enter(admin, "b")
    assert (await browser.send(f"/devices/{other}/parts/{kind}/{part['id']}/delete")).status_code == 404
    assert (await browser.send(f"/devices/{device}/parts/{kind}/{part['id']}/delete")).status_code == 204
    assert shown not in await browser.page(f"/devices/{device}?tab={tab}")


async def test_the_maker_of_a_component_is_named_once(browser, admin):
    device = await enter(admin, "a")
    part = {"kind": "processor", "slot": "CPU 0", "manufacturer": "Intel", "model": "Intel(R) Xeon(R)"}
    part["name"] = part["model"]
    assert (await browser.send(f"/devices/{device}/parts/hardware-components", **part)).status_code == 204
    page = await browser.page(f"/devices/{device}?tab=hardware")
    assert page.count("Intel(R) Xeon(R)") == 1
    assert "Intel Intel" not in page


async def test_a_container_names_its_host_instead_of_asking_for_an_agent(browser, device, admin):
    containers = [{"runtime": "docker", "container_id": "ab" * 32, "process": "nginx"}]
    report = {"inventory": {"hostname": "web-01", "containers": containers}}
    assert (await device.client.post("/api/v1/agent/inventory", json=report)).status_code == 204
    (container,) = (await admin.get("/api/v1/devices?device_type=container")).json()["results"]
    page = await browser.page(f"/devices/{container['id']}")
    assert "is reported by its host" in page
    assert "Install the agent" not in page
    assert "Runs on" in await browser.page(f"/devices/{container['id']}?tab=relations")


async def test_a_part_that_is_refused_comes_back_with_its_form(browser, admin):
    device = await enter(admin, "a")
    wrong = {"interface_name": "eth0", "interface_type": "physical", "mac_address": "zz"}
    answer = await browser.send(f"/devices/{device}/parts/network-interfaces", **wrong)
    assert answer.status_code == 422
    assert "must be a MAC address" in answer.text.replace("Must", "must")
    assert (await browser.send(f"/devices/{device}/parts/wheels")).status_code == 404


async def test_relations_are_read_from_both_ends(browser, admin):
    host, guest = await enter(admin, "esxi-1"), await enter(admin, "vm-1", device_type="vm")
    answer = await browser.send(f"/devices/{guest}/relations", relation="runs_on", device="esxi-1")
    assert answer.status_code == 204, answer.text
    assert "Runs on" in await browser.page(f"/devices/{guest}?tab=relations")
    page = await browser.page(f"/devices/{host}?tab=relations")
    assert "Hosts" in page
    assert "vm-1" in page
    circle = await browser.send(f"/devices/{host}/relations", relation="runs_on", device="vm-1")
    assert circle.status_code == 409
    assert "already" in circle.text
    (one,) = (await admin.get("/api/v1/device-relationships")).json()["results"]
    assert (await browser.send(f"/devices/{host}/relations/{one['id']}/delete")).status_code == 204
    assert "vm-1" not in await browser.page(f"/devices/{host}?tab=relations")


async def test_a_location_shows_its_devices(browser, admin):
    made = await browser.send("/locations", name="Berlin", location_type="site", is_active="true")
    assert made.status_code == 204, made.text
    page = made.headers["HX-Redirect"]
    site = page.rpartition("/")[2]
    room = await browser.send(
        "/locations", name="Room 1", location_type="room", parent_id=site, is_active="true"
    )
    await enter(admin, "in-the-room", location_id=room.headers["HX-Redirect"].rpartition("/")[2])
    assert "in-the-room" in await browser.page(room.headers["HX-Redirect"])
    assert "Berlin / Room 1" in await browser.page("/devices")


async def test_texts_of_sources_are_shown_as_they_are(browser, admin):
    device = await enter(admin, "<b>a</b>")
    await relate(admin, device, "connects_to", await enter(admin, "<script>x</script>"))
    for tab in ("relations", "facts", "hardware", "network", "storage"):
        page = await browser.page(f"/devices/{device}?tab={tab}")
        assert "<script>x" not in page
        assert "<b>a</b>" not in page


async def test_the_past_is_compared_with_now(browser, admin):
    device = await enter(admin, "a", owner="Web team")
    page = await browser.page(f"/devices/{device}?tab=past")
    assert "Nothing has changed since this device was added" in page
    await admin.patch(f"/api/v1/devices/{device}", json={"owner": "Database team"})
    await browser.send(
        f"/devices/{device}/parts/network-interfaces", interface_name="eth0", interface_type="bond"
    )
    newest = await browser.page(f"/devices/{device}?tab=past&back=0")
    assert "All is now as it was then" in newest
    first = (await browser.page(f"/devices/{device}?tab=past&back=2")).partition('id="differences"')[2]
    since = first.partition("</table>")[0]
    for text in ("Web team", "Database team", "Network interface eth0"):
        assert text in since
    for odd in ("x", "-1", "99999999", "٣"):
        await browser.page(f"/devices/{device}?tab=past&back={odd}")


async def test_versions_of_a_configuration_side_by_side(browser, admin):
    device = await enter(admin, "a")
    assert "No configurations yet" in await browser.page(f"/devices/{device}?tab=configs")
    path, first = f"/api/v1/devices/{device}/configs", "hostname a\nvlan 6\nend"
    for text in (first, first.replace("vlan 6", "vlan <b>7</b>")):
        stored = (await admin.post(path, json={"config_text": text})).json()["config"]
    page = await browser.page(f"/devices/{device}?tab=configs&config={stored['id']}")
    assert "1 added, 1 removed" in page
    assert '<td class="config-old">vlan 6</td>' in page
    assert '<td class="config-new">vlan &lt;b&gt;7&lt;/b&gt;</td>' in page
    other = await enter(admin, "b")
    same = (await admin.post(f"/api/v1/devices/{other}/configs", json={"config_text": first})).json()[
        "config"
    ]["id"]
    page = await browser.page(f"/devices/{device}?tab=configs&config={stored['id']}&against={same}")
    assert "of the other device" in page
    for odd in (
        f"config={same}",
        f"config={stored['id']}&against=x",
        f"config={stored['id']}&against={device}",
    ):
        await browser.page(f"/devices/{device}?tab=configs&{odd}")


async def test_an_address_is_added_to_an_interface(browser, admin):
    device = await enter(admin, "sw-1")
    page = await browser.page(f"/devices/{device}?tab=network")
    assert "add an interface, then its address" in page
    assert "Add IP address" not in page
    await browser.send(
        f"/devices/{device}/parts/network-interfaces", interface_name="mgmt0", interface_type="physical"
    )
    (interface,) = (await admin.get(f"/api/v1/network-interfaces?device_id={device}")).json()["results"]
    assert "Add IP address" in await browser.page(f"/devices/{device}?tab=network")
    entry = {"interface_id": interface["id"], "is_primary": "true", "status": "active"}
    form = {**entry, "csrf_token": browser.csrf_token}
    path, headers = f"/devices/{device}/parts/ip-addresses", {"HX-Request": "true"}
    wrong = await browser.client.post(path, data=form | {"address": "10.0.0.300"}, headers=headers)
    assert wrong.status_code == 422
    assert "with the length of its prefix, such as 10.0.0.5/24" in wrong.text
    assert "IPv4 interface" not in wrong.text
    added = await browser.client.post(path, data=form | {"address": "10.0.0.5/24"}, headers=headers)
    assert added.status_code == 204, added.text
    page = await browser.page(f"/devices/{device}?tab=network")
    for text in ("10.0.0.5/24", "Primary", 'data-label="MAC address"'):
        assert text in page


async def test_locations_say_where_they_lie(browser, admin):
    async def make(name: str, parent: str | None = None) -> str:
        made = await admin.post("/api/v1/locations", json={"name": name, "parent_id": parent})
        return str(made.json()["id"])

    berlin, hamburg = await make("Berlin"), await make("Hamburg")
    room = await make("Room 7", berlin)
    await make("Room 7", hamburg)
    await make("Rack A3", room)
    page = await browser.page("/locations")
    for text in ("in Berlin", "in Hamburg", "in Berlin / Room 7"):
        assert text in page
    page = " ".join((await browser.page(f"/locations/{room}")).split())
    for text in ("Lies in", f'href="/locations/{berlin}"', "Rack A3", "No devices here"):
        assert text in page
