"""Orders: approved by others, changed and asked anew, received in part, and told as a story."""

import pytest

from fleetkeeper.approvals.jobs import apply_request
from fleetkeeper.identity.models import Department
from fleetkeeper.identity.permissions import Role
from fleetkeeper.orders.approving import see_to
from tests.factories.approvals import level, make_approval_rule
from tests.factories.devices import neighbors
from tests.factories.identity import give, make_token, make_user
from tests.factories.stock import make_location, make_part, post, receive, stock_of
from tests.fixtures.client import TEST_CONTEXT

REASON = {"X-Change-Reason": "Servers are short of memory"}
ORDERS = "/api/v1/orders"


async def move(client, order: str, state: str):
    return await client.post(f"{ORDERS}/{order}/status/{state}", headers=REASON)


async def status_of(client, order: str) -> str:
    return str((await client.get(f"{ORDERS}/{order}")).json()["status"])


async def story_of(client, order: str) -> list[str]:
    found = (await client.get(f"{ORDERS}/{order}/history")).json()["results"]
    return [one["event_type"] for one in found]


@pytest.fixture
async def drafted(admin):
    """A purchase of memory from a supplier that has a price for it."""
    part, depot = await make_part(admin), await make_location(admin)
    supplier = (await post(admin, "suppliers", name="Nordic", lead_time_days=5))["id"]
    breaks = [{"quantity": "10", "price": "35"}]
    await post(
        admin, "part-suppliers", part_id=part, supplier_id=supplier, supplier_cost="40", price_breaks=breaks
    )
    order = await post(admin, "orders", supplier_id=supplier, deliver_to_id=depot)
    item = await post(
        admin, f"orders/{order['id']}/items", part_id=part, quantity_ordered="10", tax_percent="19"
    )
    return order["id"], item["id"], part, depot


class TestWithoutARule:
    async def test_from_draft_to_receipt(self, admin, drafted, connection):
        order, item, part, depot = drafted
        found = (await admin.get(f"{ORDERS}/{order}")).json()
        assert found["number"].startswith("PO-2026-") or found["number"].startswith("PO-")
        assert (found["total_price"], found["supplier_name"]) == ("416.5000", "Nordic")
        assert (await move(admin, order, "pending-approval")).json()["status"] == "approved"
        assert (await move(admin, order, "ordered")).json()["status"] == "ordered"
        first = {"lines": [{"item_id": item, "quantity": "4", "damaged": "1"}]}
        answer = await admin.post(f"{ORDERS}/{order}/receipts", json=first)
        assert answer.json()["status"] == "partly-received", answer.text
        assert (await stock_of(admin, part, depot))["quantity_on_hand"] == "3.000"
        late = {"lines": [{"item_id": item, "quantity": "7"}]}
        refused = await admin.post(f"{ORDERS}/{order}/receipts", json=late)
        assert refused.json()["errors"] == [
            {
                "field": "lines.0.quantity",
                "message": "Only 6 are missing; say that you take more than ordered",
            }
        ]
        more = await admin.post(f"{ORDERS}/{order}/receipts", json=late | {"more_than_ordered": True})
        assert more.json()["status"] == "received"
        assert (await stock_of(admin, part, depot))["quantity_on_hand"] == "10.000"
        story = await story_of(admin, order)
        assert story == [
            "created",
            "changed",
            "submitted",
            "approved",
            "ordered",
            "partly-received",
            "received",
        ]
        (costs,) = connection.execute("SELECT DISTINCT unit_cost FROM stock_movements WHERE kind = 'receipt'")
        assert str(costs[0]) == "35.0000"
        supplier = (await admin.get("/api/v1/suppliers")).json()["results"][0]
        assert supplier["measured_lead_time_days"] is not None

    async def test_what_is_not_complete_is_not_submitted(self, admin):
        order = (await post(admin, "orders"))["id"]
        refused = await move(admin, order, "pending-approval")
        assert {one["field"] for one in refused.json()["errors"]} == {"items", "deliver_to_id", "supplier_id"}
        for state in ("approved", "ordered", "received"):
            assert (await move(admin, order, state)).status_code == 409

    async def test_what_orders_name_is_not_deleted(self, admin, drafted):
        order, _, part, depot = drafted
        supplier = (await admin.get(f"{ORDERS}/{order}")).json()["supplier_id"]
        for path in (f"suppliers/{supplier}", f"locations/{depot}", f"parts/{part}"):
            refused = await admin.delete(f"/api/v1/{path}", headers=REASON)
            assert refused.status_code == 409, refused.text
            assert "inactive" in refused.text

    async def test_nothing_is_received_whole_that_never_came(self, admin, drafted):
        order, *_ = drafted
        await move(admin, order, "pending-approval")
        await move(admin, order, "ordered")
        refused = await move(admin, order, "received")
        assert refused.status_code == 409
        assert "book what came" in refused.json()["detail"]

    async def test_a_wrong_line_receives_nothing(self, admin, drafted):
        order, item, part, depot = drafted
        serials = await make_part(admin, "DISK", is_serialized=True)
        body = {"part_id": serials, "quantity_ordered": "2", "unit_price": "90"}
        other = (await post(admin, f"orders/{order}/items", **body))["id"]
        await move(admin, order, "pending-approval")
        await move(admin, order, "ordered")
        lines = [{"item_id": item, "quantity": "4"}, {"item_id": other, "quantity": "2", "serials": ["A"]}]
        refused = await admin.post(f"{ORDERS}/{order}/receipts", json={"lines": lines})
        assert [one["field"] for one in refused.json()["errors"]] == ["lines.1.serials"]
        found = await admin.get("/api/v1/inventory", params={"part_id": part, "location_id": depot})
        assert found.json()["count"] == 0
        assert await status_of(admin, order) == "ordered"


class TestTransfers:
    async def test_stock_is_kept_on_approval_and_freed_by_cancelling(self, admin):
        part, depot = await make_part(admin), await make_location(admin)
        store = await make_location(admin, "Store")
        await receive(admin, part, depot, 5)
        body = {"order_type": "internal_transfer", "from_location_id": depot, "deliver_to_id": store}
        order = (await post(admin, "orders", **body))["id"]
        item = (await post(admin, f"orders/{order}/items", part_id=part, quantity_ordered="4"))["id"]
        assert (await move(admin, order, "pending-approval")).json()["status"] == "approved"
        assert (await stock_of(admin, part, depot))["quantity_available"] == "1.000"
        assert (await move(admin, order, "cancelled")).json()["status"] == "cancelled"
        assert (await stock_of(admin, part, depot))["quantity_available"] == "5.000"
        order = (await post(admin, "orders", **body))["id"]
        item = (await post(admin, f"orders/{order}/items", part_id=part, quantity_ordered="4"))["id"]
        await move(admin, order, "pending-approval")
        await move(admin, order, "ordered")
        lines = {"lines": [{"item_id": item, "quantity": "3"}]}
        assert (await admin.post(f"{ORDERS}/{order}/receipts", json=lines)).status_code == 200
        stock = await stock_of(admin, part, depot)
        assert (stock["quantity_on_hand"], stock["quantity_reserved"]) == ("2.000", "1.000")
        assert (await stock_of(admin, part, store))["quantity_on_hand"] == "3.000"
        too_many = (await post(admin, "orders", **body))["id"]
        await post(admin, f"orders/{too_many}/items", part_id=part, quantity_ordered="2")
        refused = await move(admin, too_many, "pending-approval")
        assert refused.status_code == 409
        assert "Only 1 of RAM-16 are available" in refused.json()["detail"]
        assert await status_of(admin, too_many) == "draft"


@pytest.fixture
async def people(app):
    """Who orders, with two roles; and who approves at two levels, one of them by the requester's own role, too."""
    async with app.state.database.session(TEST_CONTEXT) as session:
        department = Department(name="Berlin")
        session.add(department)
        await session.flush()
        requester, manager, director = [await make_user(session) for _ in range(3)]
        await give(session, requester, Role.ADMIN)
        await give(session, requester, Role.MANAGER, department)
        for one in (manager, director):
            await give(session, one, Role.VIEWER, department)
        rule = level(manager, requester), level(director)
        await make_approval_rule(session, *rule, name="Orders", kind="orders.approve", threshold=100)
        tokens = [await make_token(session, one) for one in (requester, manager, director)]
    async with (
        app.client(tokens[0]) as first,
        app.client(tokens[1]) as second,
        app.client(tokens[2]) as third,
    ):
        yield first, second, third, str(department.id)


@pytest.fixture
async def submitted(people):
    """An order of 350 that waits for its approvers."""
    requester, _, _, department = people
    part = await make_part(requester, department_id=department)
    depot = await make_location(requester, department_id=department)
    supplier = (await post(requester, "suppliers", name="Nordic", department_id=department))["id"]
    body = {"supplier_id": supplier, "deliver_to_id": depot, "department_id": department}
    order = (await post(requester, "orders", **body))["id"]
    line = {"part_id": part, "quantity_ordered": "10", "unit_price": "35"}
    item = (await post(requester, f"orders/{order}/items", **line))["id"]
    held = await move(requester, order, "pending-approval")
    assert held.status_code == 202, held.text
    return order, item, held.json()["id"], part


async def decide(client, request: str, verb: str = "approve"):
    return await client.post(f"/api/v1/approvals/{request}/{verb}", json={"comment": "Checked"})


class TestApproval:
    async def test_two_people_approve_and_the_requester_cannot(self, app, people, submitted, connection):
        requester, manager, director, _ = people
        order, _, request, _ = submitted
        assert await status_of(requester, order) == "pending-approval"
        assert (await decide(requester, request)).status_code == 403
        assert (await decide(director, request)).status_code == 403
        assert (await decide(manager, request)).status_code == 200
        assert (await decide(director, request)).status_code == 200
        assert await apply_request(app.state.database, request) == "applied"
        found = (await requester.get(f"{ORDERS}/{order}")).json()
        assert (found["status"], found["approved_by"] is not None) == ("approved", True)
        chain = connection.execute(
            "SELECT approval_level, oa.status, u.username FROM order_approvals oa "
            "JOIN users u ON oa.approver_id = u.id WHERE oa.order_id = %s ORDER BY oa.approval_level",
            (order,),
        ).fetchall()
        assert [row[:2] for row in chain] == [(1, "approved"), (2, "approved")]

    async def test_a_small_rate_leads_past_no_rule(self, people, submitted):
        requester, *_ = people
        order, *_ = submitted
        present = (await requester.get(f"{ORDERS}/{order}")).json()
        wanted = {key: present[key] for key in ("supplier_id", "deliver_to_id", "department_id")}
        changed = await requester.put(f"{ORDERS}/{order}", json=wanted | {"exchange_rate": "0.001"})
        assert changed.status_code == 200, changed.text
        held = await move(requester, order, "pending-approval")
        assert held.status_code == 202
        assert ["Exchange rate", "0.001"] in held.json()["facts"]

    async def test_a_changed_quantity_is_approved_anew(self, app, people, submitted):
        requester, manager, director, _ = people
        order, item, request, part = submitted
        for one in (manager, director):
            await decide(one, request)
        await apply_request(app.state.database, request)
        line = {"part_id": part, "quantity_ordered": "10", "unit_price": "35"}
        same = await requester.put(f"/api/v1/order-items/{item}", json=line)
        assert same.status_code == 200, same.text
        assert await status_of(requester, order) == "approved"
        more = await requester.put(f"/api/v1/order-items/{item}", json=line | {"quantity_ordered": "11"})
        assert more.status_code == 200, more.text
        assert await status_of(requester, order) == "draft"
        assert (await move(requester, order, "ordered")).status_code == 409
        again = await move(requester, order, "pending-approval")
        assert again.status_code == 202
        assert again.json()["id"] != request

    async def test_a_change_while_it_waits_ends_the_request(self, app, people, submitted):
        requester, manager, _, _ = people
        order, item, request, _ = submitted
        await decide(manager, request)
        assert (await requester.delete(f"/api/v1/order-items/{item}")).status_code == 204
        assert (await requester.get(f"/api/v1/approvals/{request}")).json()["status"] == "cancelled"
        assert await status_of(requester, order) == "draft"
        assert await apply_request(app.state.database, request) == "cancelled"

    async def test_one_no_rejects_it(self, app, people, submitted, connection):
        requester, manager, _, _ = people
        order, _, request, _ = submitted
        assert (await decide(manager, request, "reject")).status_code == 200
        (asked,) = connection.execute(
            "SELECT args FROM job_runs WHERE job = 'orders.approval_ended'"
        ).fetchall()
        async with app.state.database.session(TEST_CONTEXT) as session:
            await see_to(session, asked[0]["order"], asked[0]["state"], asked[0]["why"])
        assert await status_of(requester, order) == "rejected"
        assert (await story_of(requester, order))[-1] == "rejected"
        assert (await move(requester, order, "draft")).json()["status"] == "draft"

    async def test_a_small_one_needs_nobody(self, people, submitted):
        requester, _, _, _ = people
        order, item, _, part = submitted
        line = {"part_id": part, "quantity_ordered": "1", "unit_price": "35"}
        await requester.put(f"/api/v1/order-items/{item}", json=line)
        assert (await move(requester, order, "pending-approval")).json()["status"] == "approved"


async def test_orders_of_another_department_are_not_there(app, admin):
    async with neighbors(app) as both:
        order = (await post(both.north, "orders", department_id=both.north_id))["id"]
        assert (await both.south.get(ORDERS)).json()["count"] == 0
        for path in (f"{ORDERS}/{order}", f"{ORDERS}/{order}/items", f"{ORDERS}/{order}/history"):
            assert (await both.south.get(path)).status_code == 404, path
        assert (await move(both.south, order, "cancelled")).status_code == 404
        stranger = "00000000-0000-0000-0000-000000000001"
        told = await both.north.post(ORDERS, json={"department_id": both.north_id, "request_id": stranger})
        assert told.json()["errors"] == [{"field": "request_id", "message": "No such device request"}]
        mine = await both.south.post(ORDERS, json={"department_id": both.north_id})
        assert mine.status_code == 403
