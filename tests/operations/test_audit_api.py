"""`/api/v1/audit`: who sees which entries, filters, paging, exports that tell on themselves, seals and checks."""

import csv
import io
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest

from fleetkeeper.audit import jobs
from fleetkeeper.operations import audit_export
from tests.attacks.conftest import add_person, make_side
from tests.factories.audit import act_as, add_events

PATH = "/api/v1/audit"
PEOPLE = {"admin": 200, "analyst": 200, "manager": 200, "operator": 403, "viewer": 403, "data_collector": 403}


async def listed(client, **filters) -> list[dict]:
    answer = await client.get(PATH, params=filters)
    assert answer.status_code == 200, answer.text
    return answer.json()["results"]


@pytest.fixture
async def fleet(app, admin, connection) -> SimpleNamespace:
    """A machine in the north, one in the south, and who works there."""
    north = await make_side(app, admin, connection, "north", "north-01")
    south = await make_side(app, admin, connection, "south", "south-01")
    return SimpleNamespace(app=app, admin=admin, north=north.arrive(app), south=south.arrive(app))


class TestWhoReads:
    @pytest.mark.parametrize(("role", "status"), PEOPLE.items())
    async def test_by_role(self, app, connection, role, status):
        async with app.client(add_person(connection, f"one-{role}", role, None)) as client:
            for path in ("", "/seals", "/verification"):
                assert (await client.get(PATH + path)).status_code == status, path
            may_export = role in {"admin", "manager"}
            assert (await client.get(f"{PATH}/export")).status_code == (200 if may_export else 403)
            may_seal = role == "admin"
            assert (await client.post(f"{PATH}/seal")).status_code == (200 if may_seal else 403)
            assert (await client.post(f"{PATH}/verification")).status_code == (202 if may_seal else 403)

    async def test_a_department_sees_its_devices_and_own_acts(self, fleet, connection):
        await fleet.north.manager.patch(f"/api/v1/devices/{fleet.north.device}", json={"location": "Hall 1"})
        await fleet.south.manager.patch(f"/api/v1/devices/{fleet.south.device}", json={"location": "Hall 2"})
        rows = await listed(fleet.north.manager, limit="1000")
        assert {row["device_id"] for row in rows} == {fleet.north.device, None}
        assert {row["actor_name"] for row in rows if row["device_id"] is None} == {"north-manager"}
        assert {row["action"] for row in rows} >= {"devices.update", "enrollment_tokens.insert"}
        everything = await listed(fleet.admin, limit="1000")
        assert {row["device_id"] for row in everything} >= {fleet.north.device, fleet.south.device}
        other = next(row for row in everything if row["device_id"] == fleet.south.device)
        assert (await fleet.north.manager.get(f"{PATH}/{other['id']}")).status_code == 404
        assert (await fleet.admin.get(f"{PATH}/{other['id']}")).json() == other
        assert await listed(fleet.north.manager, device_id=fleet.south.device) == []
        assert await listed(fleet.north.manager, resource_type="devices", record_id=fleet.south.device) == []
        assert await listed(fleet.north.manager, q="south-01") == []

    async def test_findings_are_for_those_who_see_all(self, fleet, app, settings, connection):
        await fleet.admin.post(f"{PATH}/seal")
        connection.execute(
            "UPDATE audit_log SET actor_name = 'x' WHERE id = (SELECT min(id) FROM audit_log "
            "WHERE transaction_id < (SELECT max(to_transaction) FROM audit_seals))"
        )
        await jobs.verify_nightly(app.state.database, settings)
        seen = (await fleet.admin.get(f"{PATH}/verification")).json()["verification"]
        assert (seen["sound"], len(seen["findings"])) == (False, 1)
        assert seen["findings"][0]["kind"] == "entry_changed"
        less = (await fleet.north.manager.get(f"{PATH}/verification")).json()["verification"]
        # Neither does the event itself tell them, as it is not theirs.
        assert await listed(fleet.north.manager, action="audit.verified") == []
        assert less is None or less["findings"] == []


class TestFilters:
    @pytest.fixture
    def marked(self, connection):
        """Entries of somebody, under a request."""
        with connection.transaction():
            act_as(connection)
            add_events(connection, 3, "test.one")
        add_events(connection, 2, "test.two")

    @pytest.mark.parametrize(
        ("filters", "count"),
        [
            ({"actor_name": "maria"}, 3),
            ({"actor_name__contains": "ARI"}, 3),
            ({"user_id": "0198c0de-0000-7000-8000-000000000001"}, 3),
            ({"token_id": "0198c0de-0000-7000-8000-000000000002"}, 3),
            ({"session_id": "0198c0de-0000-7000-8000-000000000003"}, 3),
            ({"request_id": "req-1"}, 3),
            ({"ip_address": "192.0.2.17"}, 3),
            ({"actor_kind": "user"}, 3),
            ({"action": "test.two"}, 2),
            ({"action__in": "test.one,test.two"}, 5),
            ({"resource_type": "test"}, 5),
            ({"resource_type": "test", "record_id": "2"}, 2),
            ({"record_id": "2"}, 2),
            ({"q": "thing 3"}, 1),
            ({"q": "test.on"}, 3),
            ({"q": "%"}, 0),
            ({"timestamp__gte": "{tomorrow}"}, 0),
            ({"action": "test.two", "timestamp__lt": "{tomorrow}"}, 2),
        ],
    )
    async def test_each(self, admin, marked, filters, count):
        tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        filters = {name: value.format(tomorrow=tomorrow) for name, value in filters.items()}
        rows = await listed(admin, **filters)
        assert len([row for row in rows if row["action"].startswith("test.")]) == count
        assert len(rows) == count or "timestamp__gte" in filters or "actor_kind" in filters

    async def test_an_entry_says_all(self, admin, marked):
        row = (await listed(admin, request_id="req-1"))[-1]
        told = {name: row[name] for name in ("actor_name", "ip_address", "user_agent", "change_reason")}
        assert told == {
            "actor_name": "maria",
            "ip_address": "192.0.2.17",
            "user_agent": "Firefox",
            "change_reason": "because it moved",
        }
        assert (row["record_name"], row["details"]) == ("thing 1", {"n": 1})

    @pytest.mark.parametrize(
        ("filters", "field"),
        [
            ({"timestamp__gte": "yesterday"}, "timestamp__gte"),
            ({"user_id": "maria"}, "user_id"),
            ({"id": "9" * 30}, "id"),
            ({"old_values": "x"}, "old_values"),
            ({"ordering": "actor_name"}, "ordering"),
            ({"limit": "0"}, "limit"),
            ({"cursor": "x"}, "cursor"),
        ],
    )
    async def test_bad_ones_are_named(self, admin, filters, field):
        answer = await admin.get(PATH, params=filters)
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == [field]

    async def test_a_devices_history(self, fleet):
        reason = {"X-Change-Reason": "It was moved"}
        await fleet.admin.patch(
            f"/api/v1/devices/{fleet.north.device}", json={"location": "Hall 9"}, headers=reason
        )
        rows = await listed(fleet.admin, resource_type="devices", record_id=fleet.north.device)
        assert [row["action"] for row in rows] == ["devices.update", "devices.update", "devices.insert"]
        assert (rows[0]["old_values"], rows[0]["new_values"]) == ({"location": None}, {"location": "Hall 9"})
        assert rows[0]["change_reason"] == "It was moved"
        assert await listed(fleet.admin, resource_type="devices", record_id="x") == []

    async def test_pages_hold_each_entry_once(self, admin, connection):
        for _ in range(5):
            add_events(connection, 20)
        found, address = [], f"{PATH}?action=test.event&limit=30"
        while address:
            page = (await admin.get(address)).json()
            assert (page["count"], page["count_is_exact"]) == (100, True)
            found += [row["id"] for row in page["results"]]
            address = page["next"]
        assert found == sorted(set(found), reverse=True)
        assert len(found) == 100

    async def test_many_are_not_counted_to_the_end(self, admin, connection):
        add_events(connection, 10_001)
        page = (await admin.get(PATH)).json()
        assert (page["count"], page["count_is_exact"]) == (10_000, False)


class TestExport:
    @pytest.fixture(autouse=True)
    def small_pages(self, monkeypatch):
        monkeypatch.setattr(audit_export, "PAGE", 7)

    async def test_csv(self, admin, connection):
        add_events(connection, 40)
        answer = await admin.get(f"{PATH}/export?action=test.event")
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["content-disposition"] == 'attachment; filename="audit.csv"'
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert [row["record_id"] for row in rows] == [str(number) for number in range(40, 0, -1)]
        assert rows[0]["details"] == '{"n": 40}'

    async def test_parquet(self, admin, connection):
        add_events(connection, 40)
        answer = await admin.get(f"{PATH}/export?format=parquet&action=test.event")
        assert answer.headers["content-type"] == "application/vnd.apache.parquet"
        table = pq.read_table(io.BytesIO(answer.content))
        rows = await listed(admin, action="test.event")
        assert table["id"].to_pylist() == [row["id"] for row in rows]
        assert [time.isoformat() for time in table["timestamp"].to_pylist()] == [
            datetime.fromisoformat(row["timestamp"]).isoformat() for row in rows
        ]

    @pytest.mark.parametrize("kind", ["csv", "parquet"])
    async def test_nothing_found(self, admin, kind):
        answer = await admin.get(f"{PATH}/export?format={kind}&action=none")
        assert answer.status_code == 200
        if kind == "csv":
            assert len(answer.text.splitlines()) == 1
        else:
            assert pq.read_table(io.BytesIO(answer.content)).num_rows == 0

    async def test_it_is_itself_audited(self, admin):
        await admin.get(f"{PATH}/export?format=parquet&q=maria&limit=5", headers={"X-Request-ID": "out-1"})
        (entry,) = await listed(admin, action="audit.export")
        assert entry["details"] == {"format": "parquet", "filters": {"q": "maria"}}
        assert (entry["actor_name"], entry["request_id"]) == ("admin", "out-1")

    @pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
    async def test_spreadsheets_take_nothing_for_a_formula(self, admin, connection, text):
        connection.execute("SELECT record_audit_event('test.event', 'test', NULL, %s, NULL, NULL)", [text])
        answer = await admin.get(f"{PATH}/export?action=test.event")
        (row,) = csv.DictReader(io.StringIO(answer.text, newline=""))
        assert row["record_name"] == f"'{text}"

    async def test_a_department_takes_its_own(self, fleet):
        answer = await fleet.north.manager.get(f"{PATH}/export")
        devices = {row["device_id"] for row in csv.DictReader(io.StringIO(answer.text))}
        assert devices == {fleet.north.device, ""}

    @pytest.mark.parametrize(
        ("query", "field"), [("format=xml", "format"), ("nothing=1", "nothing"), ("id=x", "id")]
    )
    async def test_a_refused_one_is_not_told(self, admin, query, field):
        answer = await admin.get(f"{PATH}/export?{query}")
        assert answer.status_code == 422
        assert field in answer.text
        assert await listed(admin, action="audit.export") == []


class TestSealsAndChecks:
    async def test_seal(self, admin):
        made = (await admin.post(f"{PATH}/seal")).json()["seals"]
        assert made
        page = (await admin.get(f"{PATH}/seals")).json()
        assert page["results"][0] == made[-1]
        assert len(made[-1]["seal_hash"]) == 64
        state = (await admin.get(f"{PATH}/verification")).json()
        assert (state["newest_seal"], state["verification"]) == (made[-1], None)
        assert (await admin.get(f"{PATH}/seals", params={"q": made[-1]["seal_hash"][:20]})).json()[
            "count"
        ] == 1

    async def test_a_forged_seal_is_told_everywhere(self, admin, connection):
        async def figures() -> dict[str, float]:
            lines = [line for line in (await admin.get("/metrics")).text.splitlines() if "_audit_" in line]
            return {name: float(value) for name, value in (line.split() for line in lines if line[0] != "#")}

        made = (await admin.post(f"{PATH}/seal")).json()["seals"]
        state = (await admin.get(f"{PATH}/verification")).json()
        assert (state["sealing"], state["sealing_problem"]) == ("current", "")
        assert (await figures())["fleetkeeper_audit_sealing_stopped"] == 0
        connection.execute(
            "INSERT INTO audit_seals SELECT number + 1, sealed_at, to_transaction, 4000000000000000000, 0, '', "
            "merkle_root, seal_hash, seal_hash, signature FROM audit_seals ORDER BY number DESC LIMIT 1"
        )
        add_events(connection, 2)
        answer = await admin.post(f"{PATH}/seal")
        assert answer.status_code == 409
        assert "is not genuine" in answer.json()["detail"]
        state = (await admin.get(f"{PATH}/verification")).json()
        assert (state["sealing"], state["newest_seal"]) == ("stopped", made[-1])
        assert state["sealing_problem"] == answer.json()["detail"]
        assert state["unsealed_entries"] >= 3
        assert state["oldest_unsealed_at"]
        told = await figures()
        assert told["fleetkeeper_audit_sealing_stopped"] == 1
        assert told["fleetkeeper_audit_newest_seal"] == made[-1]["number"]
        assert told["fleetkeeper_audit_unsealed_entries"] == state["unsealed_entries"]
        assert told["fleetkeeper_audit_oldest_unsealed_seconds"] > 0
        assert len(await listed(admin, action="audit.sealing_stopped")) == 1

    async def test_who_asked_for_a_seal_is_kept_by_what_it_meets(self, admin, connection):
        await admin.post(f"{PATH}/seal")
        connection.execute("UPDATE audit_seals SET signature = sha256('x')")
        await admin.post(f"{PATH}/seal")
        (told,) = await listed(admin, action="audit.sealing_stopped")
        assert (told["actor_kind"], told["actor_name"]) == ("token", "admin")

    async def test_a_home_without_the_keepers_login_says_so(self, admin, settings):
        settings.database.audit_url = None
        answer = await admin.post(f"{PATH}/seal")
        assert answer.status_code == 409
        assert "cannot be sealed from here" in answer.json()["detail"]

    async def test_a_check_is_asked_for_once(self, app, admin, settings):
        assert (await admin.get(f"{PATH}/verification")).json()["is_verifying"] is False
        asked = (await admin.post(f"{PATH}/verification")).json()
        assert asked["is_new"] is True
        assert (await admin.post(f"{PATH}/verification")).json() == asked | {"is_new": False}
        assert (await admin.get(f"{PATH}/verification")).json()["is_verifying"] is True
        assert len(await listed(admin, action="audit.verification_asked")) == 2
        await admin.post(f"{PATH}/seal")
        await jobs.verify_nightly(app.state.database, settings)
        state = (await admin.get(f"{PATH}/verification")).json()
        assert state["verification"]["sound"] is True
        assert state["verification"]["entries"] == state["newest_seal"]["entries"]

    async def test_no_such_entry(self, admin):
        assert (await admin.get(f"{PATH}/999999999")).status_code == 404
        assert (await admin.get(f"{PATH}/0")).status_code == 422
        assert (await admin.get(f"{PATH}/{2**63}")).status_code == 422

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
    async def test_nothing_can_be_changed(self, admin, method):
        assert (await admin.request(method, f"{PATH}/1")).status_code == 405
