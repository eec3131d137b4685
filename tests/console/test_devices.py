"""The list of devices and the page of one."""

import re
import time
from datetime import UTC, datetime, timedelta

import pytest

from fleetkeeper.console.device_page import collector_row, format_bytes, format_speed
from fleetkeeper.devices.presence import shown_status
from tests.console.waiting import eventually
from tests.factories.identity import make_department
from tests.fixtures.client import TEST_CONTEXT, enroll

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOSTILE = """<img src=x onerror=alert(1)>'"{{7*7}}"""


class TestStatus:
    @pytest.mark.parametrize(
        ("status", "silence", "shown"),
        [
            ("online", 1, "online"),
            ("online", 60, "stale"),
            ("offline", 60, "offline"),
            ("unknown", 1, "unknown"),
        ],
    )
    def test_tells_stale_from_online(self, status, silence, shown):
        assert shown_status(status, NOW - timedelta(seconds=silence), NOW - timedelta(seconds=25)) == shown


class TestFacts:
    @pytest.mark.parametrize(
        ("size", "text"),
        [(None, ""), (0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (64 * 2**30, "64 GiB")],
    )
    def test_sizes(self, size, text):
        assert format_bytes(size) == text

    @pytest.mark.parametrize(
        ("speed", "text"),
        [(None, ""), (-1, ""), (100, "100 Mbit/s"), (1000, "1 Gbit/s"), (2500, "2.5 Gbit/s")],
    )
    def test_speeds(self, speed, text):
        assert format_speed(speed) == text

    def test_a_collector_without_the_expected_keys_is_shown_all_the_same(self):
        row = collector_row({"status": "unheard of", "reason": None})
        assert (row.name, row.reason, row.tone) == ("", "", "neutral")


class TestList:
    async def test_shows_filters_and_sorts(self, app, admin, browser):
        for name in ("web-01", "web-02", "db-01"):
            await (await enroll(app, admin, name)).client.aclose()
        page = await browser.page("/devices?q=web&ordering=-name")
        assert re.findall(r"data-row-link><b>([^<]+)<", page) == ["web-02", "web-01"]
        assert 'aria-sort="descending"' in page
        assert "2 devices" in page
        assert "No devices match these filters" in await browser.page("/devices?q=nothing")

    async def test_htmx_gets_the_table_alone(self, browser, device):
        part = await browser.part("/devices?q=web")
        assert part.lstrip().startswith('<div id="devices-results"')
        assert device.id in part

    async def test_pages_go_forward_and_back(self, app, admin, browser, monkeypatch):
        monkeypatch.setattr("fleetkeeper.console.lists.showing.PAGE_SIZE", 2)
        for number in range(3):
            await (await enroll(app, admin, f"web-{number}")).client.aclose()
        first = await browser.page("/devices")
        following = re.search(r'href="(/devices\?cursor=[^"]+)"', first)[1].replace("&amp;", "&")
        second = await browser.page(following)
        assert "web-2" in second
        assert "web-1" not in second
        assert "Previous" in second

    async def test_a_name_is_text_and_nothing_else(self, app, admin, browser):
        device = await enroll(app, admin, HOSTILE)
        for place in ("/devices", f"/devices/{device.id}", "/agents", "/"):
            page = await browser.page(place)
            assert "<img src=x" not in page
        assert "&lt;img src=x onerror=alert(1)&gt;&#39;&#34;{{7*7}}" in await browser.page("/devices")
        await device.client.aclose()

    async def test_needs_sign_in(self, anonymous):
        assert (await anonymous.get("/devices")).status_code == 303


class TestDelete:
    async def test_a_device_goes_with_a_reason(self, admin, browser, device):
        page = await browser.page(f"/devices/{device.id}?tab=settings")
        assert "its telemetry is deleted" in page
        assert (await browser.send(f"/devices/{device.id}/delete")).status_code == 422
        gone = await browser.send(f"/devices/{device.id}/delete", change_reason="Scrapped")
        assert gone.headers["hx-redirect"] == "/devices"
        assert (await admin.get(f"/api/v1/devices/{device.id}")).status_code == 404

    async def test_who_may_not_is_not_offered_it(self, device, viewer_browser):
        assert "delete-device" not in await viewer_browser.page(f"/devices/{device.id}?tab=settings")
        assert (await viewer_browser.send(f"/devices/{device.id}/delete")).status_code == 403


class TestMany:
    async def test_chosen_previewed_and_changed(self, app, admin, browser):
        made = {}
        for name in ("web-01", "web-02", "db-01"):
            device = await enroll(app, admin, name)
            await device.client.aclose()
            made[name] = str(device.id)
        page = await browser.page("/devices?q=web")
        assert re.findall(r'name="ids"\s+value="([^"]+)"', page) == [made["web-01"], made["web-02"]]
        chosen = {"ids": f"{made['web-01']},{made['db-01']}"}
        form = await browser.send("/devices/bulk", **chosen)
        assert "2 selected" in form.text
        assert "No change" in form.text
        nothing = await browser.send("/devices/bulk", stage="preview", **chosen)
        assert "Change at least one field" in nothing.text
        changes = {"location": "Hall 1", "device_type": "", "lifecycle": "", "department_id": ""}
        preview = await browser.send("/devices/bulk", stage="preview", **chosen, **changes)
        assert "Change 2 devices?" in preview.text
        assert (await admin.get(f"/api/v1/devices/{made['db-01']}")).json()["location"] is None
        done = await browser.send("/devices/bulk", stage="apply", change_reason="Moved", **chosen, **changes)
        assert "Done" in done.text
        device = (await admin.get(f"/api/v1/devices/{made['db-01']}")).json()
        assert (device["location"], device["device_type"]) == ("Hall 1", "server")

    async def test_what_many_have_is_cleared_and_their_fields_are_filled_in(self, admin, browser, device):
        made = [
            {"label": "Rack"},
            {"label": "Leased", "kind": "boolean"},
            {"label": "Warranty until", "kind": "date"},
            {"label": "BIOS password", "is_sensitive": True},
        ]
        for field in made:
            assert (await admin.post("/api/v1/custom-fields", json=field)).status_code == 201
        await admin.patch(f"/api/v1/devices/{device.id}", json={"location": "Hall 1"})
        chosen = {"ids": str(device.id)}
        form = (await browser.send("/devices/bulk", **chosen)).text
        for text in (
            "— no location —",
            "— no department —",
            "— no Rack —",
            "Sensitive fields (BIOS password)",
        ):
            assert text in form
        assert "cf_bios_password" not in form
        wrong = await browser.send("/devices/bulk", stage="preview", cf_warranty_until="soon", **chosen)
        assert "Must be a date such as 2026-11-27" in wrong.text
        both = await browser.send("/devices/bulk", stage="preview", location="x", clear="location", **chosen)
        assert "Enter a value or clear it, not both" in both.text
        changes = {"cf_rack": "7", "cf_leased": "false", "clear": "location"}
        preview = (await browser.send("/devices/bulk", stage="preview", **chosen, **changes)).text
        assert "location: Hall 1 → (empty)" in preview
        assert "Leased: (empty) → no" in preview
        await browser.send("/devices/bulk", stage="apply", change_reason="Moved", **chosen, **changes)
        changed = (await admin.get(f"/api/v1/devices/{device.id}")).json()
        assert (changed["location"], changed["custom_fields"]) == (None, {"rack": "7", "leased": False})
        await browser.send("/devices/bulk", stage="apply", change_reason="Wrong", clear="cf_rack", **chosen)
        assert (await admin.get(f"/api/v1/devices/{device.id}")).json()["custom_fields"] == {"leased": False}

    async def test_tags_of_one_stop_at_a_bound(self, admin, browser, device):
        names = [f"t{number}" for number in range(51)]
        slugs = [(await admin.post("/api/v1/tags", json={"name": one})).json()["slug"] for one in names]
        address = f"/tags/objects/devices/{device.id}"
        seen = ",".join(slugs[:50])
        await browser.send(address, tags=slugs[:50], seen="")
        refused = await browser.send(address, tags=slugs[50], seen="")
        assert "at most 50 tags" in refused.text
        assert len((await admin.get(f"/api/v1/devices/{device.id}")).json()["tags"]) == 50
        await browser.send(address, tags=slugs[1:50], seen=seen)
        assert len((await admin.get(f"/api/v1/devices/{device.id}")).json()["tags"]) == 49

    async def test_all_that_match_are_meant_by_the_filters(self, app, admin, browser):
        for name in ("web-01", "db-01"):
            await (await enroll(app, admin, name)).client.aclose()
        changes = {"matching": "q=web", "lifecycle": "maintenance"}
        await browser.send("/devices/bulk", stage="apply", **changes)
        listed = (await admin.get("/api/v1/devices?lifecycle=maintenance")).json()
        assert [one["name"] for one in listed["results"]] == ["web-01"]

    async def test_many_are_deleted_once_the_preview_was_seen(self, browser, device):
        chosen = {"matching": "q="}
        preview = await browser.send("/devices/bulk-delete", **chosen)
        assert "Will be deleted" in preview.text
        assert "This cannot be undone" in preview.text
        assert 'name="expected" value="1"' in " ".join(preview.text.split())
        unseen = await browser.send("/devices/bulk-delete", stage="apply", change_reason="Sold", **chosen)
        assert (unseen.status_code, "Open the preview first" in unseen.text) == (422, True)
        silent = await browser.send("/devices/bulk-delete", stage="apply", expected="1", **chosen)
        assert (silent.status_code, "This needs a reason" in silent.text) == (422, True)
        done = await browser.send(
            "/devices/bulk-delete", stage="apply", expected="1", change_reason="Sold", **chosen
        )
        assert "Deleted" in done.text
        assert "No devices" in await browser.page("/devices")

    async def test_nothing_selected_says_so(self, browser):
        answer = await browser.send("/devices/bulk")
        assert answer.status_code == 422
        assert "Nothing is selected" in answer.text

    async def test_who_may_only_look_has_nothing_to_tick(self, device, viewer_browser):
        page = await viewer_browser.page("/devices")
        assert str(device.id) in page
        assert "data-select" not in page
        assert (await viewer_browser.send("/devices/bulk", ids=str(device.id))).status_code == 403


class TestDevice:
    async def test_shows_what_the_agent_reported(self, browser, device):
        report = {
            "inventory": {
                "hostname": "web-01",
                "os_name": "Debian GNU/Linux",
                "memory_total_bytes": 8 * 2**30,
                "interfaces": [
                    {"name": "eth0", "ip_addresses": ["10.0.0.7"], "speed_mbps": 1000, "is_up": True}
                ],
            },
            "collectors": [{"name": "gpu", "status": "unavailable", "reason": "no driver <b>here</b>"}],
        }
        answer = await device.client.post("/api/v1/agent/inventory", json=report)
        assert answer.status_code == 204, answer.text
        page = await browser.page(f"/devices/{device.id}?tab=system")
        for text in (
            "Debian GNU/Linux",
            "8 GiB",
            "no driver &lt;b&gt;here&lt;/b&gt;",
        ):
            assert text in page
        network = await browser.page(f"/devices/{device.id}?tab=network")
        for text in ("eth0", "10.0.0.7", "1 Gbit/s"):
            assert text in network

    async def test_states_with_what_was_before(self, browser, device):
        now = datetime.now(UTC).timestamp()
        for ago, state in ((60, "stopped"), (30, "<i>running</i>")):
            frame = {
                "ts": now - ago,
                "values": {},
                "states": {"service_state": state, "system_reboot_required": True},
            }
            assert (
                await device.client.post("/api/v1/telemetry", json={"frames": [frame]})
            ).status_code == 200
        page = await browser.page(f"/devices/{device.id}?tab=system")
        states = page[page.index('id="states"') :]
        now_place, before = states.index("&lt;i&gt;running&lt;/i&gt;"), states.index("stopped")
        assert now_place < before < states.index("system_reboot_required")
        assert "yes" in states

    async def test_a_state_that_changes_all_the_time_is_shown_as_it_is_now(self, browser, device, connection):
        now = datetime.now(UTC).timestamp()
        frame = {"ts": now - 20_000, "values": {}, "states": {"beacon": "first"}}
        await device.client.post("/api/v1/telemetry", json={"frames": [frame]})
        connection.execute(
            "INSERT INTO states SELECT device_id, channel_id, ts + n * interval '1 second', 'beat ' || n, false "
            "FROM states, generate_series(1, 12000) n"
        )
        page = await browser.page(f"/devices/{device.id}?tab=system")
        states = page[page.index('id="states"') :]
        assert "beat 12000" in states
        assert [f"beat {n} " in states for n in (11999, 11995, 11994)] == [True, True, False]

    async def test_an_unknown_device_is_a_page_not_found(self, browser):
        page = await browser.page("/devices/00000000-0000-0000-0000-000000000000", 404)
        assert "There is no such device." in page
        assert "<h1>Not found</h1>" in page

    async def test_htmx_gets_the_error_as_a_toast(self, browser):
        part = await browser.part("/devices/00000000-0000-0000-0000-000000000000", 404)
        assert part.strip() == "<div data-toast>There is no such device.</div>"

    async def test_an_unknown_page_is_one_too(self, browser):
        assert "<h1>Not found</h1>" in await browser.page("/nowhere", 404)


class TestDepartments:
    @pytest.fixture
    async def places(self, app):
        async with app.state.database.session(TEST_CONTEXT) as session:
            north = await make_department(session, "North")
            return north, await make_department(session, "Harbour", north)

    async def test_a_device_is_moved_and_found_with_all_below(self, browser, device, places):
        north, harbour = places
        form = {"name": "web-01", "device_type": "server", "lifecycle": "active", "location": "Pier 3"}
        answer = await browser.send(f"/devices/{device.id}", **form, department_id=str(harbour.id))
        assert answer.status_code == 204, answer.text
        page = await browser.page(f"/devices/{device.id}")
        assert "North/Harbour" in page
        assert "Pier 3" in page
        for wanted in (north.id, harbour.id):
            assert device.id in await browser.part(f"/devices?department={wanted}")
        for none in ("none", "0198f6a0-0000-7000-8000-000000000001"):
            assert device.id not in await browser.part(f"/devices?department={none}")

    async def test_a_wrong_change_is_shown_at_its_field(self, browser, device, places):
        answer = await browser.send(f"/devices/{device.id}", name="", device_type="server", department_id="")
        assert answer.status_code == 422
        assert "change-device-name-error" in answer.text

    async def test_who_may_only_look_has_no_form(self, viewer_browser, device):
        assert "change-device" not in await viewer_browser.page(f"/devices/{device.id}?tab=settings")
        answer = await viewer_browser.send(f"/devices/{device.id}", name="mine")
        assert answer.status_code == 403


class TestTabs:
    NAMES = (
        "",
        "system",
        "hardware",
        "network",
        "storage",
        "facts",
        "configs",
        "relations",
        "sources",
        "past",
        "processes",
        "sessions",
        "alerts",
        "requests",
        "fields",
        "notes",
        "files",
        "history",
        "settings",
    )

    async def test_each_has_an_address_and_reads_nothing_of_the_others(self, browser, device):
        for name in self.NAMES:
            address = f"/devices/{device.id}" + (f"?tab={name}" if name else "")
            page = await browser.page(address)
            tabs = page.partition('class="page-tabs"')[2].partition("</nav>")[0]
            current = re.search(r'href="([^"]+)"\s+aria-current="page"', tabs)[1]
            assert current == address
            assert len(re.findall("<a ", tabs)) == len(self.NAMES)
            assert "web-01</h1>" in page
            shows = {
                mark for mark in ("data-range-toolbar", "data-processes", "data-partitions") if mark in page
            }
            wanted = {"": "data-range-toolbar", "processes": "data-processes", "storage": "data-partitions"}
            assert shows == ({wanted[name]} if name in wanted else set()), name

    async def test_readers_have_no_settings_and_no_history(self, viewer_browser, device):
        page = await viewer_browser.page(f"/devices/{device.id}?tab=settings")
        assert "tab=settings" not in page
        assert "tab=history" not in page
        assert "data-range-toolbar" in page


class TestNeverReported:
    async def test_a_filter_finds_them(self, browser, admin, app, device):
        await device.send((time.time(), {"cpu_usage_percent": 5.0}))
        other = await enroll(app, admin, "silent-01")

        async def only_the_other() -> str:
            part = await browser.part("/devices?status=never")
            return part if "silent-01" in part and "web-01" not in part else ""

        assert await eventually(only_the_other)
        await other.client.aclose()

    async def test_their_page_says_it_once_with_the_next_step(self, browser, device, connection):
        connection.execute("UPDATE devices SET created_at = now() - interval '1 hour'")
        page = await browser.page(f"/devices/{device.id}")
        assert page.count("has never reported") == 1
        assert 'href="/agents#new-token"' in page
        assert "data-live" not in page
        assert 'data-section="cpu"' not in page
        assert "tab=processes" not in page
        system = await browser.page(f"/devices/{device.id}?tab=system")
        assert "has never reported" not in system
        assert "No states reported" not in system
        assert "data-partitions" not in system


class TestSearch:
    @pytest.mark.parametrize(
        "text",
        ["198.51.100.7", "02:00:5e:10:00:aa", "02-00-5E-10-00-AA", "0200.5e10.00aa", "02005e1000aa", "SN-77"],
    )
    async def test_finds_by_address_and_serial_number(self, admin, device, connection, text):
        connection.execute(
            "UPDATE devices SET serial_number = 'SN-77', interfaces = %s::jsonb WHERE id = %s",
            [
                '[{"name": "eth0", "mac_address": "02:00:5e:10:00:aa", "ip_addresses": ["198.51.100.7"]}]',
                device.id,
            ],
        )
        found = await admin.get("/api/v1/devices", params={"q": text})
        assert [one["id"] for one in found.json()["results"]] == [str(device.id)]
        assert (await admin.get("/api/v1/devices", params={"q": "mac_address"})).json()["count"] == 0


async def test_selection_that_is_too_large_is_refused_in_the_console(browser):
    one = "0198c0de-7c00-7a00-8000-000000000000"
    for address in ("/devices/bulk", "/devices/bulk-delete"):
        assert (await browser.send(address, ids=",".join([one] * 20_001))).status_code == 422
        assert (await browser.send(address, matching="q=" + "a" * 4_000)).status_code == 422
