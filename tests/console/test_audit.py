"""`/audit`: the list and its filter, one entry with each field before and after, seals, and the history of things."""

import html
import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from fleetkeeper.audit import jobs
from fleetkeeper.audit.schemas import AuditEntryRead
from fleetkeeper.console.audit_entries import entry_row, field_changes, with_filters
from fleetkeeper.console.audit_values import references_in
from fleetkeeper.console.contexts.audit import Change
from fleetkeeper.console.lists.days import DayFilter, zone_of
from fleetkeeper.errors import InvalidInputError
from fleetkeeper.identity.permissions import Permission, Role
from fleetkeeper.operations.audit_browser import PEOPLES_KINDS
from fleetkeeper.operations.audit_names import Reference
from tests.console.conftest import sign_in
from tests.console.test_panels import browser_with
from tests.factories.audit import act_as, add_events


def text_of(page: str) -> str:
    """What a page says, without its tags."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def rows_of(page: str) -> list[str]:
    """The rows of the list, as texts."""
    body = re.search(r"<tbody>(.*?)</tbody>", page, re.DOTALL)
    return [text_of(row) for row in re.findall(r"<tr>(.*?)</tr>", body[1], re.DOTALL)] if body else []


def entry(**values: object) -> AuditEntryRead:
    """An entry that says nothing but this."""
    nothing = dict.fromkeys(AuditEntryRead.model_fields)
    known = {
        "id": 1,
        "timestamp": datetime(2026, 1, 2, tzinfo=UTC),
        "action": "devices.update",
        "actor_kind": "user",
        "actor_name": "maria",
        "resource_type": "devices",
    }
    return AuditEntryRead.model_validate(nothing | known | values)


def texts_of(change: Change) -> tuple[str | None, ...]:
    """Both sides as texts."""
    return tuple(None if side is None else side.text for side in (change.before, change.after))


class TestWords:
    def test_each_field_before_and_after(self):
        changes = field_changes(
            "devices",
            {"location": None, "is_managed": True, "cores": 4, "tags": []},
            {"location": "Hall 1", "is_managed": False, "cores": 8, "tags": ["a"]},
            {},
        )
        assert [(one.field, *texts_of(one)) for one in changes] == [
            ("location", None, "Hall 1"),
            ("is_managed", "yes", "no"),
            ("cores", "4", "8"),
            ("tags", "[]", '["a"]'),
        ]

    def test_empty_and_nothing_differ(self):
        (change,) = field_changes("things", {"a": ""}, {"a": None}, {})
        assert texts_of(change) == ("(empty)", None)

    def test_a_key_that_changed_has_one_side(self):
        (change,) = field_changes("things", None, {"key": "after"}, {})
        assert texts_of(change) == (None, "after")

    @pytest.mark.parametrize(
        ("values", "said"),
        [
            ({"record_name": "web-01", "new_values": {}}, "Updated device web-01"),
            ({"action": "roles.insert", "resource_type": "roles", "record_name": "r"}, "Created role r"),
            ({"action": "group_members.delete", "resource_type": "group_members"}, "Deleted group member"),
            ({"action": "session.sign_in", "resource_type": "session"}, "Signed in"),
            ({"action": "audit.export", "resource_type": "audit"}, "Exported the audit log"),
            ({"action": "thing.turned_on", "resource_type": "things", "record_id": "7"}, "Turned on thing 7"),
        ],
    )
    def test_sentences(self, values, said):
        row = entry_row(entry(**values))
        assert " ".join(part for part in (row.verb, row.kind, row.name) if part) == said

    def test_lists_are_short_and_pages_whole(self):
        one = entry(action="devices.insert", new_values={str(n): "x" * 500 for n in range(9)})
        row, whole = entry_row(one), entry_row(one, whole=True)
        assert (len(row.facts), row.more, len(whole.facts), whole.more) == (4, 5, 9, 0)
        assert len(row.facts[0][1].text) < 130 < len(whole.facts[0][1].text)

    def test_lists_leave_out_what_tells_people_nothing(self):
        values = {"id": str(uuid4()), "device_id": str(uuid4()), "metadata": {}, "cores": 0, "kind": "mac"}
        one = entry(action="device_identities.insert", record_id=values["id"], new_values=values)
        row, whole = entry_row(one), entry_row(one, whole=True)
        assert [label for label, _ in row.facts] == ["cores", "kind"]
        assert (row.name, row.more) == ("", 0)
        assert len(whole.facts) == 5

    def test_things_that_are_gone_have_no_page(self):
        known = {"record_id": "7", "device_id": uuid4()}
        assert entry_row(entry(**known)).thing_href == "/devices/7"
        assert entry_row(entry(action="devices.delete", **known)).thing_href == ""
        part = entry_row(entry(**known | {"resource_type": "device_keys"}))
        assert part.thing_href == f"/devices/{known['device_id']}"


class TestValues:
    """What is stored is ids and times; what people read is names with links, and times that a clock shows."""

    def test_times_are_times(self):
        one = entry(
            new_values={"expires_at": "2027-01-02T03:04:05.678+00:00", "name": "2027-01-02"},
            action="x.insert",
        )
        (_, expires), (_, name) = entry_row(one, whole=True).facts
        assert expires.at == datetime(2027, 1, 2, 3, 4, 5, 678000, UTC)
        assert (name.at, name.text) == (None, "2027-01-02")

    def test_ids_are_names_where_they_are_known(self):
        north, gone = uuid4(), uuid4()
        one = entry(old_values={"department_id": str(north)}, new_values={"department_id": str(gone)})
        (change,) = entry_row(one, {Reference("departments", north): "North"}).changes
        assert change.field == "department"
        assert (change.before.text, change.before.href) == ("North", f"/departments/{north}")
        assert (change.after.text, change.after.href, change.after.raw) == (
            f"{str(gone)[:8]}…",
            "",
            str(gone),
        )

    def test_lists_of_ids_are_lists_of_names(self):
        north, south = uuid4(), uuid4()
        one = entry(
            action="api_tokens.insert",
            resource_type="api_tokens",
            new_values={"departments": [str(north), str(south)]},
        )
        names = {Reference("departments", north): "North", Reference("departments", south): "South"}
        ((_, departments),) = entry_row(one, names).facts
        assert departments.text == "North, South"

    @pytest.mark.parametrize("value", ["x", 7, True, [1], {"a": 1}, "", ["x", None], "9999-99-99T99:99:99Z"])
    def test_hostile_values_stay_as_they_are(self, value):
        one = entry(
            action="things.insert", resource_type="things", new_values={"device_id": value, "user_id": value}
        )
        assert len(list(references_in([one]))) == 0
        entry_row(one, whole=True)


class TestDays:
    def test_they_are_the_readers(self):
        zone = zone_of("Europe/Berlin")
        since = DayFilter("since", "From", "timestamp__gte", zone)
        until = DayFilter("until", "to", "timestamp__lt", zone, is_last=True)
        # Summer time begins that night.
        assert since.meaning("2026-03-28") == (("timestamp__gte", "2026-03-28T00:00:00+01:00"),)
        assert until.meaning("2026-03-29") == (("timestamp__lt", "2026-03-30T00:00:00+02:00"),)

    @pytest.mark.parametrize("name", [None, "", "Mars/Olympus", "../../etc/passwd", "\x00"])
    def test_zones_that_are_none(self, name):
        assert zone_of(name).key == "UTC"

    @pytest.mark.parametrize("day", ["yesterday", "2026-13-01", "9999-12-31"])
    def test_days_that_are_none(self, day):
        with pytest.raises(InvalidInputError):
            DayFilter("until", "to", "timestamp__lt", zone_of("UTC"), is_last=True).meaning(day)


@pytest.fixture
async def sides_of_a_group(admin):
    """A group, and somebody in it."""
    group = (await admin.post("/api/v1/groups", json={"name": "Night shift"})).json()["id"]
    user = (await admin.get("/api/v1/users")).json()["results"][0]["id"]
    await admin.put(f"/api/v1/groups/{group}/members/{user}")


@pytest.fixture
def acts_of_people(connection):
    with connection.transaction():
        act_as(connection)
        add_events(connection, 2, "test.person")


class TestList:
    async def test_says_who_did_what_and_why(self, app, browser, admin, device):
        headers = {"X-Change-Reason": "Moved to the <new> hall"}
        await admin.patch(f"/api/v1/devices/{device.id}", json={"location": "Hall 1"}, headers=headers)
        page = await browser.page("/audit")
        row = rows_of(page)[0]
        assert "admin token “test” Updated device web-01" in row
        assert "Location nothing → Hall 1" in row
        assert "“Moved to the <new> hall”" in row
        assert f'href="/devices/{device.id}"' in page
        assert "<new>" not in page

    async def test_filters(self, browser, connection):
        with connection.transaction():
            act_as(connection)
            add_events(connection, 2, "test.one")
        add_events(connection, 1, "test.two")
        today = datetime.now(UTC).date()
        for query, count in (
            ("actor_name__contains=MARI&action__contains=test", 2),
            ("request_id=req-1", 2),
            ("action=test.two", 1),
            ("q=thing+2", 1),
            ("resource_type=test&record_id=1", 2),
            ("user_id=0198c0de-0000-7000-8000-000000000001", 2),
            ("ip_address=192.0.2.17", 2),
            (f"resource_type=test&since={today}&until={today}", 3),
            (f"resource_type=test&since={today + timedelta(days=2)}", 0),
        ):
            assert len(rows_of(await browser.part(f"/audit?{query}"))) == count, query
        page = await browser.page("/audit?user_id=0198c0de-0000-7000-8000-000000000001&q=thing&by=all")
        assert 'href="/audit?q=thing&amp;by=all"' in page

    async def test_people_come_first_and_machines_on_demand(self, browser, connection):
        """Somebody who failed to sign in is among people: that is what one looks for, and floods are summed up."""
        kinds = ("user", "token", "command", "database", "anonymous", "device", "job")
        with connection.transaction():
            for kind in kinds:
                act_as(connection, {"kind": kind, "name": f"by {kind}"})
                add_events(connection, 1, "test.kind")
        people = list(rows_of(await browser.page("/audit?action=test.kind")))
        assert {kind for kind in kinds if any(f"by {kind}" in row for row in people)} == set(
            PEOPLES_KINDS.split(",")
        )
        assert len(rows_of(await browser.page("/audit?action=test.kind&by=all"))) == len(kinds)

    async def test_failed_sign_ins_are_in_the_first_view(self, app, browser):
        async with app.client() as stranger:
            await stranger.post("/sign-in", data={"username": "maria", "password": "not it"})
        assert "anonymous" in rows_of(await browser.page("/audit"))[0]

    async def test_names_instead_of_ids(self, browser, admin, device):
        north = (await admin.post("/api/v1/departments", json={"name": "North"})).json()["id"]
        await admin.patch(f"/api/v1/devices/{device.id}", json={"department_id": north})
        page = await browser.page("/audit")
        assert "Department nothing → North" in rows_of(page)[0]
        assert f'<a href="/departments/{north}" title="{north}">North</a>' in page
        assert 'data-time="full"' in page
        for address, said in (
            (f"/audit?device_id={device.id}", "Device is web-01"),
            (f"/audit?device_id={uuid4()}", "…"),
        ):
            chip = re.search(r'<span class="tag">(.*?)</span>', await browser.page(address), re.DOTALL)[1]
            assert said in text_of(chip)
            assert re.search(r"[0-9a-f]{8}-[0-9a-f]{4}", text_of(chip)) is None

    async def test_a_token_and_a_deleted_user_are_told_by_name(self, browser, admin):
        user = (await admin.post("/api/v1/users", json={"username": "erna", "role": "viewer"})).json()
        await admin.delete(f"/api/v1/users/{user['id']}", headers={"X-Change-Reason": "left"})
        page = text_of(await browser.part("/audit?resource_type=memberships"))
        assert "erna (deleted)" in page
        assert user["id"][:8] not in page
        assert re.search(r"token “[^”]+”", page)

    async def test_names_are_shown_to_those_who_may_see_the_things(
        self, app, admin, device, sides_of_a_group
    ):
        """Whoever reads the log and no groups sees that there is one, and not how it is called."""
        browser = await browser_with(app, Permission.AUDIT_READ, Permission.DEVICES_READ)
        page = await browser.page("/audit")
        assert "Created group member" in text_of(page)
        assert "Night shift" not in rows_of(page)[0]

    async def test_controls_have_names_of_their_own(self, browser):
        page = await browser.page("/audit")
        labels = re.findall(
            r'aria-label="([^"]+)"', page.partition('id="audit-filters"')[2].partition("</form>")[0]
        )
        assert len(labels) == len(set(labels))
        assert "Everything" not in page

    async def test_nothing_fits(self, browser):
        page = await browser.page("/audit?q=nobody+did+this")
        assert "No entries match these filters" in page
        assert "0 entries" in text_of(page)

    @pytest.mark.parametrize(
        ("query", "word"),
        [
            ("user_id=x", "User: Must be an ID"),
            ("since=tomorrow", "From: Must be a day"),
            ("cursor=x", "cursor"),
            ("q=%00", "NUL"),
        ],
    )
    async def test_what_is_wrong_is_named(self, browser, query, word):
        page = await browser.page(f"/audit?{query}", status=422)
        alert = re.search(r'role="alert">(.*?)</div>', page, re.DOTALL)[1]
        assert word in text_of(alert)

    async def test_pages(self, browser, connection):
        add_events(connection, 120)
        found: list[str] = []
        address = "/audit?action=test.event"
        while address:
            page = await browser.part(address)
            found += re.findall(r'href="/audit/(\d+)" data-row-link', page)
            following = re.search(r'href="([^"]+)"[^>]*>Next', page)
            address = html.unescape(following[1]) if following else None
        assert len(found) == len(set(found)) == 120

    async def test_no_entry_is_skipped_or_repeated_while_others_arrive(self, browser, connection):
        add_events(connection, 120, "test.before")
        found: list[int] = []
        address = "/audit?action__contains=test"
        while address:
            page = await browser.part(address)
            found += map(int, re.findall(r'href="/audit/(\d+)" data-row-link', page))
            following = re.search(r'href="([^"]+)"[^>]*>Next', page)
            address = html.unescape(following[1]) if following else None
            add_events(connection, 7, "test.meanwhile")
        rows = connection.execute("SELECT id FROM audit_log WHERE action = 'test.before' ORDER BY id DESC")
        assert found == [number for (number,) in rows]
        page = await browser.part("/audit?action__contains=test&ordering=id")
        oldest = list(map(int, re.findall(r'href="/audit/(\d+)" data-row-link', page)))
        assert oldest == found[:-51:-1]

    async def test_only_what_an_index_serves_can_be_sorted_by(self, browser, acts_of_people):
        page = await browser.page("/audit")
        assert re.findall(r'class="sort"\s+href="([^"]+)"', page) == ["/audit?ordering=id"]
        answer = await browser.client.get("/audit?ordering=actor_name")
        assert "ordering=actor_name" not in answer.text

    async def test_exports_carry_the_filter(self, browser, connection):
        with connection.transaction():
            act_as(connection)
            add_events(connection, 2)
        page = await browser.page("/audit?actor_name=maria&action=test.event")
        addresses = [html.unescape(one) for one in re.findall(r'href="(/api/v1/audit/export[^"]+)"', page)]
        assert len(addresses) == 2
        answer = await browser.client.get(addresses[0])
        assert len(answer.text.splitlines()) == 3
        answer = await browser.client.get(addresses[1])
        assert answer.content[:4] == b"PAR1"

    async def test_readers_get_neither_exports_nor_buttons(self, shared):
        browser = await browser_with(shared.app, Permission.AUDIT_READ)
        page = await browser.page("/audit")
        assert "/api/v1/audit/export" not in page
        assert "/audit/seal" not in page
        assert (await browser.send("/audit/seal")).status_code == 403
        assert (await browser.send("/audit/verification")).status_code == 403

    async def test_viewers_get_nothing(self, viewer_browser):
        for address in ("/audit", "/audit/1", "/audit/state"):
            await viewer_browser.page(address, status=403)
        assert 'href="/audit"' not in await viewer_browser.page("/devices")


class TestEntry:
    async def test_has_all(self, browser, connection, admin, device):
        headers = {"X-Change-Reason": "Fits there", "X-Request-ID": "move-1", "User-Agent": "script/1"}
        await admin.patch(f"/api/v1/devices/{device.id}", json={"location": "Hall 1"}, headers=headers)
        ((number,),) = connection.execute("SELECT id FROM audit_log WHERE request_id = 'move-1'").fetchall()
        page = await browser.page(f"/audit/{number}")
        text = text_of(page)
        for said in (
            "Updated device web-01",
            "Who admin token",
            "Why Fits there",
            "Request move-1",
            "Browser or program script/1",
            "Location nothing Hall 1",
            "not sealed yet",
            "devices.update",
        ):
            assert said in text, said
        assert 'href="/audit?request_id=move-1&amp;by=all"' in page
        await browser.send("/audit/seal")
        assert "not sealed yet" not in text_of(await browser.page(f"/audit/{number}"))

    async def test_hostile_texts_are_texts(self, browser, connection):
        hostile = "<script>alert(1)</script>"
        context = {"kind": "user", "name": hostile, "agent": hostile, "request": hostile, "reason": hostile}
        with connection.transaction():
            act_as(connection, context)
            connection.execute("INSERT INTO config (key, value) VALUES (%s, '{}')", [hostile])
            connection.execute(
                "UPDATE config SET value = jsonb_build_object(%s::text, %s::text)", [hostile, hostile]
            )
        for (number,) in connection.execute("SELECT id FROM audit_log WHERE resource_type = 'config'"):
            assert "<script>alert" not in await browser.page(f"/audit/{number}")
        assert "<script>alert" not in await browser.page("/audit")

    async def test_there_is_none(self, browser):
        await browser.page("/audit/999999999", status=404)
        await browser.page("/audit/0", status=404)


class TestSeals:
    async def test_seal_and_check(self, app, browser, settings, connection):
        page = await browser.page("/audit")
        assert "has not been checked yet" in page
        answer = await browser.send("/audit/seal")
        assert re.search(r"Sealed \d+ entries", answer.text)
        answer = await browser.send("/audit/verification")
        assert "is being checked" in answer.text
        assert 'hx-get="/audit/state"' in answer.text
        assert "is already queued" in (await browser.send("/audit/verification")).text
        connection.execute("DELETE FROM procrastinate_jobs")  # the worker took it
        await jobs.verify_nightly(app.state.database, settings)
        state = await browser.part("/audit/state")
        assert "sealed entries are unchanged" in text_of(state)
        assert "hx-trigger" not in state

    async def test_what_was_touched_is_named(self, app, browser, settings, connection):
        await browser.send("/audit/seal")
        ((number,),) = connection.execute(
            "UPDATE audit_log SET actor_name = 'nobody' WHERE id = (SELECT min(id) FROM audit_log) RETURNING id"
        ).fetchall()
        await jobs.verify_nightly(app.state.database, settings)
        page = await browser.page("/audit")
        assert "The log does not match its seals." in page
        assert f"Entry {number} (" in page
        assert f'href="/audit/{number}"' in page

    async def test_a_damaged_chain_is_told_in_red(self, browser, connection):
        await browser.send("/audit/seal")
        assert "Sealing" not in await browser.part("/audit/state")
        connection.execute("UPDATE audit_seals SET signature = sha256('x')")
        answer = await browser.send("/audit/seal")
        state = text_of(await browser.part("/audit/state"))
        for said in (text_of(answer.text), state):
            assert "Sealing has stopped." in said
            assert "is not genuine" in said
        assert 'class="note is-bad" role="alert"' in answer.text

    async def test_entries_that_stay_unsealed_are_told_in_red(self, browser, connection):
        connection.execute('UPDATE audit_log SET "timestamp" = "timestamp" - interval \'6 minutes\'')
        state = text_of(await browser.part("/audit/state"))
        assert "Sealing is behind. The worker makes no seals" in state
        assert "Not sealed since" in state

    async def test_without_scripts(self, browser):
        for address in ("/audit/seal", "/audit/verification"):
            answer = await browser.client.post(address, data={"csrf_token": browser.csrf_token})
            assert (answer.status_code, answer.headers["location"]) == (303, "/audit")

    @pytest.mark.parametrize("address", ["/audit/seal", "/audit/verification"])
    async def test_needs_the_forms_token(self, browser, address):
        assert (await browser.client.post(address)).status_code == 403


class TestHistory:
    async def test_of_a_device(self, browser, admin, device):
        await admin.patch(f"/api/v1/devices/{device.id}", json={"location": "Hall 1"})
        rows = rows_of(await browser.page(f"/devices/{device.id}?tab=history"))
        assert "Updated device web-01" in rows[0]
        assert any("Created device web-01" in row for row in rows)

    async def test_is_not_for_viewers(self, viewer_browser, device):
        assert "tab=history" not in await viewer_browser.page(f"/devices/{device.id}?tab=history")

    async def test_is_linked_from_what_administrators_look_after(self, browser, app):
        await sign_in(app, "victor", Role.VIEWER)
        made = {
            "/departments": {"name": "North"},
            "/groups": {"name": "Night shift"},
            "/roles": {"name": "Reader"},
        }
        for path, form in made.items():
            answer = await browser.send(path, **form)
            assert answer.status_code in {204, 303}, answer.text
        for path in ("/users", *made):
            listed = await browser.page(path)
            address = re.search(rf'href="({path}/[0-9a-f-]{{36}})"', listed)[1]
            page = await browser.page(address)
            kind, record = path.strip("/"), address.rpartition("/")[2]
            link = f"/audit?resource_type={kind}&record_id={record}&by=all"
            assert f'href="{html.escape(link)}"' in page, path
            await browser.page(link)


class TestWhoActs:
    @pytest.fixture
    def acts(self, connection):
        with connection.transaction():
            act_as(connection, {"kind": "device", "name": "web-01"})
            add_events(connection, 1, "test.machine")
        with connection.transaction():
            act_as(connection, {"kind": "user", "name": "maria"})
            add_events(connection, 1, "test.person")

    async def test_people_s_changes_come_first_and_machines_are_one_click_away(self, browser, acts):
        assert "thing 1" in await browser.page("/audit?action=test.person")
        page = await browser.page("/audit?action=test.machine")
        assert "thing 1" not in page
        assert 'href="/audit?action=test.machine&amp;by=all"' in page
        assert "thing 1" in await browser.page("/audit?action=test.machine&by=all")

    async def test_a_link_to_one_object_shows_all_that_was_done_to_it(self, browser, acts):
        page = await browser.page(html.unescape(with_filters(resource_type="test", record_id="1")))
        assert len(rows_of(page)) == 2
