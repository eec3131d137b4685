"""Deliveries as a calendar: what other programs read, whatever the texts are."""

from datetime import UTC, date, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper.orders.calendar import Delivery, to_calendar
from tests.factories.devices import neighbors
from tests.factories.stock import make_location, make_part, post

REASON = {"X-Change-Reason": "Needed"}
PATH = "/api/v1/deliveries.ics"
DAY = date(2026, 12, 3)


def delivery(title: str = "PO-1", details: str = "") -> Delivery:
    moment = datetime(2026, 11, 29, 12, tzinfo=UTC)
    return Delivery(UUID(int=1), DAY, title, details, "https://fleet.example/orders/1", 3, moment)


def unfolded(text: str) -> list[str]:
    assert text.endswith("\r\n")
    return text.removesuffix("\r\n").replace("\r\n ", "").split("\r\n")


def test_an_event_of_a_whole_day():
    lines = unfolded(to_calendar([delivery("PO-1 from Nordic", "170.00 EUR\nBy truck; call first")]))
    for line in (
        "DTSTART;VALUE=DATE:20261203",
        "DTEND;VALUE=DATE:20261204",
        "SUMMARY:PO-1 from Nordic",
        "DESCRIPTION:170.00 EUR\\nBy truck\\; call first",
        "SEQUENCE:3",
    ):
        assert line in lines


@given(title=st.text(max_size=200), details=st.text(max_size=300))
def test_no_text_makes_a_line_of_its_own_or_a_long_one(title, details):
    text = to_calendar([delivery(title, details)])
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    lines = unfolded(text)
    assert len(lines) == len(unfolded(to_calendar([delivery()])))
    assert all("\n" not in line and "\r" not in line for line in lines)


async def under_way(client, name: str, **more) -> str:
    supplier = (await post(client, "suppliers", name=f"Supplier of {name}", **more))["id"]
    part, depot = (
        await make_part(client, f"P-{name}", **more),
        await make_location(client, f"D-{name}", **more),
    )
    body = {"supplier_id": supplier, "deliver_to_id": depot, "expected_delivery_date": str(DAY), **more}
    order = await post(client, "orders", **body)
    await post(client, f"orders/{order['id']}/items", part_id=part, quantity_ordered="1", unit_price="5")
    for state in ("pending-approval", "ordered"):
        moved = await client.post(f"/api/v1/orders/{order['id']}/status/{state}", headers=REASON)
        assert moved.status_code == 200, moved.text
    return order["number"]


async def test_only_what_is_under_way_and_one_s_own(app, admin):
    async with neighbors(app) as both:
        number = await under_way(both.north, "north", department_id=both.north_id)
        draft = {"expected_delivery_date": str(DAY), "department_id": both.north_id}
        drafted = (await post(both.north, "orders", **draft))["number"]
        answer = await both.north.get(PATH)
        assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
        assert f"SUMMARY:{number} from Supplier of north" in unfolded(answer.text)
        assert drafted not in answer.text
        assert "VEVENT" not in (await both.south.get(PATH)).text
