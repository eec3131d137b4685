"""Stock counts: differences are booked together, or not at all."""

import pytest

from tests.factories.devices import neighbors
from tests.factories.stock import make_location, make_part, move, post, receive, stock_of

REASON = {"X-Change-Reason": "Monthly"}


@pytest.fixture
async def counted(admin):
    """Two parts in a depot, and a count of it."""
    depot = await make_location(admin)
    ram, disk = await make_part(admin, "RAM"), await make_part(admin, "DISK")
    await receive(admin, ram, depot, 10)
    await receive(admin, disk, depot, 4)
    count = await post(admin, "stock-counts", name="November", location_id=depot)
    return depot, ram, disk, count["id"]


async def enter(client, count, part, quantity):
    body = {"part_id": part, "counted": str(quantity)}
    answer = await client.post(f"/api/v1/stock-counts/{count}/lines", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_differences_are_booked(admin, counted):
    depot, ram, disk, count = counted
    assert (await enter(admin, count, ram, 7))["variance"] == "-3.000"
    assert (await enter(admin, count, ram, 8))["variance"] == "-2.000"
    await enter(admin, count, disk, 4)
    # What moves meanwhile stays moved.
    await receive(admin, ram, depot, 5)
    booked = await admin.post(f"/api/v1/stock-counts/{count}/status/booked", headers=REASON)
    assert booked.status_code == 200, booked.text
    assert booked.json()["closed_at"] is not None
    assert (await stock_of(admin, ram, depot))["quantity_on_hand"] == "13.000"
    moved = (await admin.get(f"/api/v1/stock-movements?purpose_id={count}")).json()["results"]
    assert [(one["part_code"], one["quantity"], one["reason"]) for one in moved] == [
        ("RAM", "-2.000", "Stock count November")
    ]
    lines = (await admin.get(f"/api/v1/stock-counts/{count}/lines?ordering=variance")).json()["results"]
    assert [one["part_code"] for one in lines] == ["RAM", "DISK"]
    late = await admin.post(f"/api/v1/stock-counts/{count}/lines", json={"part_id": ram, "counted": "1"})
    assert late.status_code == 409


async def test_a_difference_that_cannot_be_booked_books_nothing(admin, counted):
    depot, ram, disk, count = counted
    await enter(admin, count, ram, 1)
    await enter(admin, count, disk, 0)
    stock = await stock_of(admin, disk, depot)
    await post(admin, "stock-reservations", inventory_id=stock["id"], quantity="4", purpose="Repair")
    answer = await admin.post(f"/api/v1/stock-counts/{count}/status/booked", headers=REASON)
    assert answer.status_code == 409
    assert "DISK: 0 were counted instead of 4" in answer.json()["detail"]
    assert (await stock_of(admin, ram, depot))["quantity_on_hand"] == "10.000"


async def test_nothing_counted_and_others_departments(app, admin, counted):
    depot, _, _, count = counted
    empty = await admin.post(f"/api/v1/stock-counts/{count}/status/booked", headers=REASON)
    assert empty.status_code == 409
    async with neighbors(app) as both:
        place = await make_location(both.north, "North", department_id=both.north_id)
        own = await post(both.north, "stock-counts", name="North", location_id=place)
        assert (await both.south.get(f"/api/v1/stock-counts/{own['id']}/lines")).status_code == 404
        body = {"name": "x", "location_id": depot}
        assert (await both.south.post("/api/v1/stock-counts", json=body)).status_code == 403
    assert (await move(admin, "issue", counted[1], depot, 1, reason="x")).status_code == 201
