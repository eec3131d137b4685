"""Movements of stock: on hand is their sum, nothing is oversold, and a piece is where it was put."""

import asyncio
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper.stock.levels.moves import check, problems_of, steps_of
from fleetkeeper.stock.levels.schemas import MoveWrite
from tests.factories.devices import enter, neighbors
from tests.factories.stock import make_location, make_part, move, receive, stock_of

ID = "00000000-0000-0000-0000-000000000001"
OTHER = "00000000-0000-0000-0000-000000000002"
SUMS = """
    SELECT i.quantity_on_hand = coalesce((SELECT sum(m.quantity) FROM stock_movements m WHERE m.part_id = i.part_id
               AND m.variant_id IS NOT DISTINCT FROM i.variant_id AND m.location_id = i.location_id), 0)
       AND i.quantity_reserved
               = coalesce((SELECT sum(r.quantity) FROM stock_reservations r WHERE r.inventory_id = i.id), 0)
    FROM inventory i
"""


def field_of(answer) -> dict[str, str]:
    """What an error says of which field."""
    assert answer.status_code in (409, 422), answer.text
    return {one["field"]: one["message"] for one in answer.json()["errors"]}


@pytest.fixture
async def place(admin):
    """A part and a location."""
    return await make_part(admin), await make_location(admin)


class TestKinds:
    async def test_each_changes_what_is_on_hand(self, admin, connection, place):
        part, depot = place
        store = await make_location(admin, "Store")
        device = await enter(admin, "web-01")
        await receive(admin, part, depot, 20, unit_cost="12.5", currency="EUR")
        steps = [
            ("issue", 2, {"reason": "Sold"}, "18.000"),
            ("adjustment", -1, {"reason": "Broken seal"}, "17.000"),
            ("transfer", 5, {"to_location_id": store}, "12.000"),
            ("return", 1, {"device_id": device}, "13.000"),
            ("scrap", 3, {"reason": "Water"}, "10.000"),
            ("consumption", 4, {"device_id": device}, "6.000"),
            ("count", 7, {}, "7.000"),
        ]
        for kind, quantity, more, left in steps:
            answer = await move(admin, kind, part, depot, quantity, **more)
            assert answer.status_code == 201, answer.text
            assert (await stock_of(admin, part, depot))["quantity_on_hand"] == left
        assert (await stock_of(admin, part, store))["quantity_on_hand"] == "5.000"
        assert (await stock_of(admin, part, depot))["last_counted_at"] is not None
        assert {row[0] for row in connection.execute(SUMS)} == {True}
        consumed = connection.execute("SELECT quantity_consumed, location_id::text FROM part_consumption")
        assert consumed.fetchall() == [(Decimal(4), depot)]
        (moved,) = (await admin.get("/api/v1/stock-movements?kind=consumption")).json()["results"]
        assert (moved["device_name"], moved["part_code"], moved["location_name"]) == (
            "web-01",
            "RAM-16",
            "Depot",
        )

    @pytest.mark.parametrize(
        ("kind", "quantity", "more", "field"),
        [
            ("issue", 1, {}, "reason"),
            ("receipt", 0, {}, "quantity"),
            ("receipt", -1, {}, "quantity"),
            ("adjustment", 0, {"reason": "x"}, "quantity"),
            ("count", -1, {}, "quantity"),
            ("transfer", 1, {}, "to_location_id"),
            ("consumption", 1, {}, "device_id"),
            ("receipt", 1, {"serials": ["A"]}, "serials"),
            ("receipt", 1, {"lot": "L1"}, "lot"),
            ("receipt", 1, {"unit_cost": "1"}, "currency"),
            ("issue", 21, {"reason": "x"}, "quantity"),
        ],
    )
    async def test_what_cannot_be_is_refused_by_its_field(self, admin, place, kind, quantity, more, field):
        part, depot = place
        await receive(admin, part, depot, 20)
        assert field in field_of(await move(admin, kind, part, depot, quantity, **more))
        assert (await stock_of(admin, part, depot))["quantity_on_hand"] == "20.000"

    async def test_they_cannot_be_changed(self, admin, connection, place):
        await receive(admin, *place, 1)
        for statement in ("UPDATE stock_movements SET quantity = 5", "DELETE FROM stock_movements"):
            with pytest.raises(Exception, match="kept as they were"):
                connection.execute(statement)


def moves(kind: str, quantity: int, **more) -> MoveWrite:
    return MoveWrite(kind=kind, part_id=ID, location_id=ID, quantity=Decimal(quantity), **more)


class TestSteps:
    @given(on_hand=st.integers(0, 10**6), counted=st.integers(0, 10**6))
    def test_a_count_makes_what_was_counted(self, on_hand, counted):
        steps = steps_of(moves("count", counted), Decimal(on_hand))
        assert on_hand + sum(one.quantity for one in steps) == counted

    @given(quantity=st.integers(1, 10**6))
    def test_a_transfer_neither_makes_nor_loses(self, quantity):
        steps = steps_of(moves("transfer", quantity, to_location_id=OTHER), Decimal(0))
        assert sum(one.quantity for one in steps) == 0

    @given(serials=st.lists(st.sampled_from("ABCDE"), max_size=6), pieces=st.integers(1, 6))
    def test_pieces_are_as_many_as_are_moved(self, serials, pieces):
        wanted = moves("receipt", pieces, serials=serials)
        is_right = len(serials) == pieces and len(set(serials)) == pieces
        assert (not problems_of(wanted, is_serialized=True, has_lots=False)) is is_right
        if is_right:
            check(wanted, is_serialized=True, has_lots=False)


class TestPieces:
    async def test_a_piece_is_where_it_was_put(self, admin, place):
        _, depot = place
        part = await make_part(admin, "DISK-1", is_serialized=True, component_kind="disk")
        store = await make_location(admin, "Store")
        device = await enter(admin, "db-01")
        await receive(admin, part, depot, 3, serials=["S1", "S2", "S3"])
        assert "S1" in field_of(await move(admin, "receipt", part, depot, 1, serials=["S1"]))["serials"]
        moved = await move(admin, "transfer", part, depot, 1, serials=["S2"], to_location_id=store)
        assert moved.status_code == 201
        wrong = await move(admin, "consumption", part, depot, 1, serials=["S2"], device_id=device)
        assert "S2" in field_of(wrong)["serials"]
        fitted = await move(admin, "consumption", part, depot, 1, serials=["S1"], device_id=device)
        assert fitted.status_code == 201, fitted.text
        found = (await admin.get("/api/v1/stock-serials")).json()["results"]
        assert [(one["serial"], one["status"], one["location_name"]) for one in found] == [
            ("S1", "fitted", ""),
            ("S2", "in_stock", "Store"),
            ("S3", "in_stock", "Depot"),
        ]
        components = (await admin.get(f"/api/v1/hardware-components?device_id={device}")).json()["results"]
        assert [(one["kind"], one["serial_number"], one["part_number"]) for one in components] == [
            ("disk", "S1", "DISK-1")
        ]

    async def test_a_part_that_does_not_fit_needs_a_word(self, admin, place):
        _, depot = place
        part = await make_part(admin, "SO-DIMM", fits_device_types=["workstation"])
        device = await enter(admin, "db-01", device_type="server")
        await receive(admin, part, depot, 2)
        told = field_of(await move(admin, "consumption", part, depot, 1, device_id=device))
        assert told == {"device_id": "SO-DIMM fits workstation only, and this is a server"}
        forced = await move(admin, "consumption", part, depot, 1, device_id=device, fits_anyway=True)
        assert forced.status_code == 201


class TestReservations:
    async def test_fifty_at_once_never_oversell(self, admin, connection, place):
        await receive(admin, *place, 10)
        stock = await stock_of(admin, *place)
        body = {"inventory_id": stock["id"], "quantity": "1", "purpose": "Repair"}
        answers = await asyncio.gather(
            *(admin.post("/api/v1/stock-reservations", json=body) for _ in range(50))
        )
        codes = sorted(one.status_code for one in answers)
        assert codes == [201] * 10 + [422] * 40
        refused = next(one for one in answers if one.status_code == 422)
        assert "available" in field_of(refused)["quantity"]
        stock = await stock_of(admin, *place)
        assert (stock["quantity_reserved"], stock["quantity_available"]) == ("10.000", "0.000")
        assert {row[0] for row in connection.execute(SUMS)} == {True}
        assert "quantity" in field_of(await move(admin, "issue", *place, 1, reason="Sold"))

    async def test_what_is_taken_comes_from_the_reservation(self, admin, connection, place):
        await receive(admin, *place, 5)
        stock = await stock_of(admin, *place)
        body = {"inventory_id": stock["id"], "quantity": "4", "purpose": "Repair"}
        kept = (await admin.post("/api/v1/stock-reservations", json=body)).json()["id"]
        taken = await move(admin, "issue", *place, 3, reason="Repair", reservation_id=kept)
        assert taken.status_code == 201, taken.text
        assert (await stock_of(admin, *place))["quantity_reserved"] == "1.000"
        assert (await admin.delete(f"/api/v1/stock-reservations/{kept}")).status_code == 204
        stock = await stock_of(admin, *place)
        assert (stock["quantity_on_hand"], stock["quantity_reserved"]) == ("2.000", "0.000")
        assert {row[0] for row in connection.execute(SUMS)} == {True}

    async def test_transfers_to_and_fro_do_not_wait_in_a_circle(self, admin, place):
        part, depot = place
        store = await make_location(admin, "Store")
        await receive(admin, part, depot, 50)
        await receive(admin, part, store, 50)
        answers = await asyncio.gather(
            *(
                move(admin, "transfer", part, one, 1, to_location_id=other)
                for _ in range(15)
                for one, other in ((depot, store), (store, depot))
            )
        )
        assert {one.status_code for one in answers} == {201}
        assert (await stock_of(admin, part, depot))["quantity_on_hand"] == "50.000"


class TestLowStock:
    async def test_it_is_told_once_and_again_after_there_was_enough(self, admin, connection, place):
        await receive(admin, *place, 10)
        stock = await stock_of(admin, *place)
        body = {"part_id": place[0], "location_id": place[1], "reorder_point": "5", "reorder_quantity": "10"}
        changed = await admin.put(f"/api/v1/inventory/{stock['id']}", json=body)
        assert changed.status_code == 200, changed.text

        def told() -> int:
            events = "SELECT count(*) FROM notification_events WHERE name = 'stock.low'"
            return connection.execute(events).fetchone()[0]

        for quantity, times in ((5, 1), (1, 1)):
            assert (await move(admin, "issue", *place, quantity, reason="Sold")).status_code == 201
            assert told() == times
        low = (await admin.get("/api/v1/inventory?low=true")).json()
        assert [one["part_code"] for one in low["results"]] == ["RAM-16"]
        await receive(admin, *place, 10)
        assert (await admin.get("/api/v1/inventory?low=true")).json()["count"] == 0
        assert (await move(admin, "issue", *place, 10, reason="Sold")).status_code == 201
        assert told() == 2

    async def test_another_part_or_location_is_another_stock(self, admin, place):
        await receive(admin, *place, 1)
        stock = await stock_of(admin, *place)
        other = await make_location(admin, "Store")
        answer = await admin.put(
            f"/api/v1/inventory/{stock['id']}", json={"part_id": place[0], "location_id": other}
        )
        assert "location_id" in field_of(answer)


async def test_stock_of_another_department_is_not_there(app, admin):
    async with neighbors(app) as both:
        part = await make_part(both.north, "N-1", department_id=both.north_id)
        depot = await make_location(both.north, "North depot", department_id=both.north_id)
        await receive(both.north, part, depot, 3, unit_cost="9", currency="EUR")
        stock = await stock_of(both.north, part, depot)
        for path in ("parts", "inventory", "stock-movements", "stock-serials", "part-prices"):
            assert (await both.south.get(f"/api/v1/{path}")).json()["count"] == 0, path
        assert (await both.south.get(f"/api/v1/inventory/{stock['id']}")).status_code == 404
        assert (await both.south.get("/api/v1/parts/scan?code=N-1")).status_code == 404
        refused = field_of(await move(both.south, "receipt", part, depot, 1))
        assert refused == {"part_id": "No such part"}
        body = {"inventory_id": stock["id"], "quantity": "1", "purpose": "x"}
        assert (await both.south.post("/api/v1/stock-reservations", json=body)).status_code == 422
        shared = await make_part(admin, "SHARED")
        told = await move(both.south, "receipt", shared, depot, 1)
        assert field_of(told) == {"location_id": "No such location"}
        export = await both.south.get("/api/v1/stock-movements/export?format=csv")
        assert "N-1" not in export.text
        assert (await both.north.get("/api/v1/stock-movements")).json()["count"] == 1
