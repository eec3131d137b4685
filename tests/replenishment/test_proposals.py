"""Proposals: made once, brought up to date, dismissed, ordered; of one's own departments alone."""

import asyncio

import pytest

from fleetkeeper.replenishment.service import PROPOSE
from tests.factories.devices import neighbors
from tests.factories.stock import make_location, make_part, move, move_before, post, receive, stock_of
from tests.fixtures.jobs import run_job

PROPOSALS = "/api/v1/order-proposals"
REASON = {"X-Change-Reason": "There is another depot"}


def use(connection, part: str, location: str, received: int = 14) -> None:
    """Every second week of the last ten, two pieces were taken: 0.95 a week, and 5 is the reorder point."""
    move_before(connection, "receipt", part, location, received, 10)
    for weeks_ago in (9, 7, 5, 3, 1):
        move_before(connection, "issue", part, location, -2, weeks_ago)


@pytest.fixture
async def used(admin, connection):
    """A part that is taken every second week, of which 4 are left, and a supplier that sells packs of 5."""
    part, depot = await make_part(admin), await make_location(admin)
    supplier = (await post(admin, "suppliers", name="Nordic"))["id"]
    price = {"part_id": part, "supplier_id": supplier, "supplier_cost": "40", "pack_size": "5"}
    await post(admin, "part-suppliers", **price)
    use(connection, part, depot)
    return part, depot, supplier


@pytest.fixture
def propose(app, settings):
    async def run() -> None:
        await run_job(app, settings, PROPOSE)

    return run


async def proposals_of(client, status: str = "open") -> list[dict]:
    answer = await client.get(PROPOSALS, params={"status": status})
    assert answer.status_code == 200, answer.text
    return answer.json()["results"]


def events(connection) -> list[dict]:
    found = connection.execute(
        "SELECT fields FROM notification_events WHERE name = 'replenishment.proposals_waiting' ORDER BY id"
    )
    return [row[0] for row in found]


class TestRuns:
    async def test_a_second_run_adds_nothing(self, admin, connection, used, propose):
        await propose()
        (first,) = await proposals_of(admin)
        assert (first["part_code"], first["location_name"], first["supplier_name"]) == (
            "RAM-16",
            "Depot",
            "Nordic",
        )
        assert (first["quantity"], first["unit_price"], first["currency"]) == ("5.000", "40.0000", "EUR")
        assert (first["available"], first["on_order"], first["reorder_point"]) == ("4.000", "0.000", "5.000")
        assert first["reasons"][:2] == [
            "0.95 a week over 10 weeks, 5 demands: intermittent (Syntetos-Boylan)",
            "Lead time 14 days, assumed: no supplier says",
        ]
        assert "5 instead of 2: packs of 5" in first["reasons"][-1]
        await propose()
        assert await proposals_of(admin) == [first]
        assert events(connection) == [{"proposals": "1 order proposal waits", "parts": "RAM-16 at Depot"}]

    async def test_an_open_one_is_brought_up_to_date_in_place(self, admin, connection, used, propose):
        part, depot, _ = used
        await propose()
        (first,) = await proposals_of(admin)
        assert (await move(admin, "issue", part, depot, 4, reason="Sold")).status_code == 201
        await propose()
        (again,) = await proposals_of(admin)
        assert (again["id"], again["available"], again["quantity"]) == (first["id"], "0.000", "10.000")
        assert len(events(connection)) == 1

    async def test_one_that_no_longer_holds_is_outdated(self, admin, used, propose):
        part, depot, _ = used
        other = await make_location(admin, "Store")
        level = await post(
            admin, "inventory", part_id=part, location_id=other, reorder_point="3", reorder_quantity="20"
        )
        await propose()
        by_hand = next(one for one in await proposals_of(admin) if one["location_id"] == other)
        assert (by_hand["quantity"], level["quantity_available"]) == ("20.000", "0.000")
        assert "Reorder point 3 was set by hand and counts" in by_hand["reasons"]
        await receive(admin, part, depot, 10)
        place = (await admin.get(f"/api/v1/locations/{other}")).json()
        wanted = {"name": "Store", "location_type": place["location_type"], "is_active": False}
        assert (await admin.put(f"/api/v1/locations/{other}", json=wanted)).status_code == 200
        await propose()
        assert await proposals_of(admin) == []
        assert len(await proposals_of(admin, "outdated")) == 2

    async def test_two_runs_at_once_make_one(self, admin, connection, used, propose):
        await asyncio.gather(*(propose() for _ in range(4)))
        assert len(await proposals_of(admin)) == 1
        assert connection.execute("SELECT count(*) FROM order_proposals").fetchone() == (1,)
        assert len(events(connection)) == 1

    async def test_a_person_asks_for_one(self, admin, viewer):
        assert (await admin.get(f"{PROPOSALS}/runs/newest")).json() is None
        first = await admin.post(f"{PROPOSALS}/runs")
        assert (first.status_code, first.json()["is_new"]) == (202, True)
        assert (await admin.post(f"{PROPOSALS}/runs")).json() == first.json() | {"is_new": False}
        assert (await viewer.get(f"{PROPOSALS}/runs/newest")).json()["state"] == "waiting"
        assert (await viewer.post(f"{PROPOSALS}/runs")).status_code == 403


class TestDismissal:
    async def test_it_stays_away_until_stock_falls_further_or_time_passes(
        self, admin, viewer, connection, used, propose
    ):
        part, depot, _ = used
        await propose()
        (one,) = await proposals_of(admin)
        path = f"{PROPOSALS}/{one['id']}/dismiss"
        assert (await viewer.post(path, headers=REASON)).status_code == 403
        assert (await admin.post(path)).status_code == 422
        assert (await admin.post(path, headers=REASON)).json()["status"] == "dismissed"
        assert (await admin.post(path, headers=REASON)).status_code == 409
        await propose()
        assert await proposals_of(admin) == []
        assert (await move(admin, "scrap", part, depot, 1, reason="Broken")).status_code == 201
        await propose()
        (lower,) = await proposals_of(admin)
        answer = await admin.post(f"{PROPOSALS}/bulk-dismiss", json={"ids": [lower["id"]]}, headers=REASON)
        assert (answer.json()["changed"], await proposals_of(admin)) == (1, [])
        await propose()
        assert await proposals_of(admin) == []
        connection.execute("UPDATE order_proposals SET dismissed_until = now() WHERE status = 'dismissed'")
        await propose()
        assert len(await proposals_of(admin)) == 1


class TestOrdering:
    async def test_chosen_ones_become_drafts_and_are_not_proposed_again(
        self, admin, connection, used, propose
    ):
        _, depot, supplier = used
        cable, unsold = await make_part(admin, "CABLE"), await make_part(admin, "UNSOLD")
        await post(admin, "part-suppliers", part_id=cable, supplier_id=supplier, supplier_cost="2")
        for one in (cable, unsold):
            use(connection, one, depot)
        await propose()
        chosen = {"matching": "status=open"}
        preview = (await admin.post(f"{PROPOSALS}/bulk-order", json=chosen | {"dry_run": True})).json()
        assert (preview["changed"], preview["refused"]) == (2, 1)
        assert (await admin.get("/api/v1/orders")).json()["count"] == 0
        done = (await admin.post(f"{PROPOSALS}/bulk-order", json=chosen)).json()
        assert (done["changed"], done["refused"]) == (2, 1)
        details = {one["name"]: one["detail"] for one in done["results"]}
        assert "No supplier has a price" in details["UNSOLD for Depot"]
        (order,) = (await admin.get("/api/v1/orders")).json()["results"]
        assert (order["status"], order["supplier_id"], order["deliver_to_id"]) == ("draft", supplier, depot)
        assert details["RAM-16 for Depot"] == f"In draft order {order['number']}"
        lines = (await admin.get(f"/api/v1/orders/{order['id']}/items")).json()["results"]
        assert {(one["part_code"], one["quantity_ordered"], one["unit_price"]) for one in lines} == {
            ("RAM-16", "5.000", "40.0000"),
            ("CABLE", "2.000", "2.0000"),
        }
        await propose()
        assert [one["part_code"] for one in await proposals_of(admin)] == ["UNSOLD"]
        ordered = await proposals_of(admin, "ordered")
        assert {one["order_number"] for one in ordered} == {order["number"]}
        assert (await admin.delete(f"/api/v1/orders/{order['id']}", headers=REASON)).status_code == 204
        await propose()
        assert len(await proposals_of(admin)) == 3

    async def test_two_people_at_once_make_one_order(self, admin, used, propose):
        await propose()
        (one,) = await proposals_of(admin)
        chosen = {"ids": [one["id"]]}
        answers = await asyncio.gather(
            *(admin.post(f"{PROPOSALS}/bulk-order", json=chosen) for _ in range(2)), propose()
        )
        assert sorted(answer.json()["changed"] for answer in answers[:2]) == [0, 1]
        assert (await admin.get("/api/v1/orders")).json()["count"] == 1
        await propose()
        assert await proposals_of(admin) == []

    async def test_a_price_that_is_gone_leaves_no_empty_draft(self, admin, used, propose):
        await propose()
        (one,) = await proposals_of(admin)
        (price,) = (await admin.get("/api/v1/part-suppliers")).json()["results"]
        await admin.delete(f"/api/v1/part-suppliers/{price['id']}", headers=REASON)
        done = (await admin.post(f"{PROPOSALS}/bulk-order", json={"ids": [one["id"]]})).json()
        assert (done["refused"], "has no price" in done["results"][0]["detail"]) == (1, True)
        assert (await admin.get("/api/v1/orders")).json()["count"] == 0
        assert [one["status"] for one in await proposals_of(admin)] == ["open"]


class TestForecasts:
    async def test_series_band_and_suggestion_are_told_and_taken(self, admin, viewer, used):
        part, depot, _ = used
        answer = await viewer.get("/api/v1/stock-forecasts", params={"part_id": part, "location_id": depot})
        (told,) = answer.json()["results"]
        assert [one["quantity"] for one in told["series"]] == [0, 2] * 5
        assert told["forecast"]["mean_per_week"] == pytest.approx(0.95)
        assert told["forecast"]["low_per_week"] < 0.95 < told["forecast"]["high_per_week"]
        assert (told["suggested_reorder_point"], told["reorder_point"]) == ("5", None)
        stock = await stock_of(admin, part, depot)
        path = f"/api/v1/inventory/{stock['id']}/take-suggestion"
        assert (await viewer.post(path)).status_code == 403
        assert (await admin.post(path)).json()["reorder_point"] == "5.000"

    async def test_too_little_data_gives_no_number(self, admin):
        part, depot = await make_part(admin), await make_location(admin)
        await receive(admin, part, depot, 5)
        (told,) = (await admin.get("/api/v1/stock-forecasts", params={"part_id": part})).json()["results"]
        assert (told["forecast"], told["suggested_reorder_point"], told["series"]) == (None, None, [])
        assert told["reasons"][0].startswith("Too little data for a forecast")
        stock = await stock_of(admin, part, depot)
        assert (await admin.post(f"/api/v1/inventory/{stock['id']}/take-suggestion")).status_code == 409

    async def test_a_measured_lead_time_counts_before_a_promised_one(self, admin, connection, used):
        part, depot, supplier = used
        wanted = {"name": "Nordic", "lead_time_days": 3}
        assert (await admin.put(f"/api/v1/suppliers/{supplier}", json=wanted)).status_code == 200

        async def lead_time() -> dict:
            answer = await admin.get("/api/v1/stock-forecasts", params={"part_id": part})
            return answer.json()["results"][0]["lead_time"]

        assert await lead_time() == {"days": 3, "deviation_days": 0, "source": "promised", "deliveries": 0}
        for number, days in enumerate((8, 9, 13)):
            connection.execute(
                "INSERT INTO orders (id, number, status, supplier_id, deliver_to_id, ordered_at, received_at) VALUES "
                "(gen_random_uuid(), %s, 'received', %s, %s, now() - make_interval(days => %s), now())",
                (f"PO-{number}", supplier, depot, days),
            )
        found = await lead_time()
        assert (found["days"], found["source"], found["deliveries"]) == (9, "measured", 3)
        assert found["deviation_days"] == pytest.approx(2.6458, abs=1e-3)


async def test_another_department_sees_and_changes_nothing(app, connection, admin, propose):
    async with neighbors(app) as both:
        part = await make_part(both.north, "N-1", department_id=both.north_id)
        depot = await make_location(both.north, "North depot", department_id=both.north_id)
        shared = await make_part(admin, "SHARED")
        supplier = (await post(both.north, "suppliers", name="Northern", department_id=both.north_id))["id"]
        price = {"part_id": shared, "supplier_id": supplier, "supplier_cost": "1"}
        await post(both.north, "part-suppliers", department_id=both.north_id, **price)
        south_depot = await make_location(both.south, "South depot", department_id=both.south_id)
        for one, where in ((part, depot), (shared, depot), (shared, south_depot)):
            use(connection, one, where)
        await propose()
        (own,) = await proposals_of(both.south)
        assert (own["location_name"], own["supplier_id"], own["unit_price"]) == ("South depot", None, None)
        assert "Northern" not in str(own)
        theirs = {one["part_code"]: one for one in await proposals_of(both.north)}
        assert theirs.keys() == {"N-1", "SHARED"}
        assert theirs["SHARED"]["supplier_name"] == "Northern"
        key = theirs["SHARED"]["id"]
        assert (await both.south.get(f"{PROPOSALS}/{key}")).status_code == 404
        assert (await both.south.post(f"{PROPOSALS}/{key}/dismiss", headers=REASON)).status_code == 404
        for verb in ("bulk-order", "bulk-dismiss"):
            answer = await both.south.post(f"{PROPOSALS}/{verb}", json={"ids": [key]}, headers=REASON)
            assert (answer.status_code, answer.json()["results"]) == (200, [])
        for path in (f"part_id={part}", f"part_id={shared}&location_id={depot}"):
            assert (await both.south.get(f"/api/v1/stock-forecasts?{path}")).status_code == 404
        found = (await both.south.get(f"/api/v1/stock-forecasts?part_id={shared}")).json()["results"]
        assert [one["location_name"] for one in found] == ["South depot"]
        done = (await both.north.post(f"{PROPOSALS}/bulk-order", json={"ids": [key]})).json()
        assert done["changed"] == 1, done
        (order,) = (await both.north.get("/api/v1/orders")).json()["results"]
        assert order["department_id"] == both.north_id
        told = {one["parts"] for one in events(connection)}
        assert told == {"N-1 at North depot, SHARED at North depot", "SHARED at South depot"}
