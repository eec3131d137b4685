"""Requests of devices in the console: lists, the page of one, handlers, decisions."""

import re

import pytest

from tests.device_requests.conftest import Desk


@pytest.fixture
def desk(app, settings, admin, device) -> Desk:
    return Desk(app, settings, admin, device)


async def test_empty_pages_say_what_to_do(browser):
    assert "No device requests yet" in await browser.page("/device-requests")
    assert "Nothing waits for people" in await browser.page("/device-requests/inbox")
    assert "No decisions yet" in await browser.page("/agent-decisions")


async def test_a_person_takes_and_answers(desk, browser):
    request = await desk.submit("question", text="<b>Which</b> disk?", slots=[1, {"size": None}])
    inbox = await browser.page("/device-requests/inbox")
    assert f"/device-requests/{request}" in inbox
    home = f"/device-requests/{request}"
    page = await browser.page(home)
    assert "&lt;b&gt;Which&lt;/b&gt; disk?" in page
    assert "slots[1].size" in page
    assert (await browser.send(f"{home}/take")).headers["hx-redirect"] == home
    token = re.search(r'name="lease_token"\s+value="([^"]+)"', await browser.page(home))[1]
    wrong = await browser.send(f"{home}/answer", lease_token=token, content='{"a":')
    assert "Must be text, or a JSON object" in wrong.text
    assert (
        await browser.send(f"{home}/answer", lease_token=token, content="The left one")
    ).status_code == 204
    assert (await desk.get(request))["response"]["content"] == {"text": "The left one"}
    page = await browser.page(home)
    assert "The left one" in page
    assert "Completed" in page
    late = await browser.send(f"{home}/release", lease_token=token)
    assert late.status_code == 409


async def test_an_order_is_drafted_for_a_request(desk, browser, admin):
    request = await desk.submit("get_parts", slot=1)
    home = f"/device-requests/{request}"
    assert "Draft an order" in await browser.page(home)
    made = await browser.send(f"{home}/order", order_type="purchase", notes="Memory")
    order = made.headers["hx-redirect"].rpartition("/")[2]
    told = (await admin.get(f"/api/v1/orders/{order}")).json()
    assert (told["request_id"], told["status"], told["notes"]) == (request, "draft", "Memory")
    page = await browser.page(home)
    assert "Draft an order" not in page
    assert told["number"] in page
    assert home in await browser.page(f"/orders/{order}")
    again = await browser.send(f"{home}/order", order_type="purchase")
    assert "This request has an order already." in again.text
    sent = {"order_type": "purchase", "currency": "EUR", "exchange_rate": "1", "request_id": request}
    changed = await browser.send(f"/orders/{order}", notes="More", version=told["version"], **sent)
    assert changed.status_code == 204, changed.text
    assert (await admin.get(f"/api/v1/orders/{order}")).json()["request_id"] == request


async def test_who_sees_no_orders_drafts_none(desk, viewer_browser):
    request = await desk.submit("get_parts", slot=1)
    home = f"/device-requests/{request}"
    assert "Draft an order" not in await viewer_browser.page(home)
    assert (await viewer_browser.send(f"{home}/order", order_type="purchase")).status_code == 403


async def test_old_requests_are_in_the_archive(desk, browser, connection):
    assert "No archived requests yet" in await browser.page("/archived-requests")
    request = await desk.submit("get_parts", slot=7)
    await browser.send(f"/device-requests/{request}/cancel", reason="Sold")
    connection.execute("UPDATE device_requests SET created_at = created_at - interval '91 days'")
    await desk.run("archive")
    assert f"/archived-requests/{request}" in await browser.page("/archived-requests")
    assert "payload.slot" in await browser.page(f"/archived-requests/{request}")


async def test_fail_retry_and_cancel(desk, browser):
    request = await desk.submit("question", n=1)
    home = f"/device-requests/{request}"
    await browser.send(f"{home}/take")
    token = re.search(r'name="lease_token"\s+value="([^"]+)"', await browser.page(home))[1]
    await browser.send(f"{home}/fail", lease_token=token, reason="Nobody knows")
    page = await browser.page(home)
    assert "Gave up" in page
    assert "Nobody knows" in page
    await browser.send(f"{home}/retry")
    assert (await desk.get(request))["status"] == "pending"
    await browser.send(f"{home}/cancel", reason="Sold")
    assert (await desk.get(request))["status"] == "cancelled"
    assert (await browser.send(f"{home}/destroy")).status_code == 404


async def test_a_verdict_lets_an_answer_go(desk, browser):
    await desk.handler()
    request = await desk.submit(slot=1)
    await desk.lease()
    decision = await desk.decide(request, 0.4, reasoning={"why": "a guess"})
    await desk.answer(request, content={"part": "B2"})
    assert "Needs verdict" in await browser.page("/device-requests/inbox")
    home = f"/agent-decisions/{decision['id']}"
    assert "a guess" in await browser.page(home)
    assert "Finder" in await browser.page("/agent-decisions")
    assert (await browser.send(f"{home}/agree", comment="Fine")).status_code == 204
    assert (await desk.get(request))["status"] == "completed"
    assert "Fine" in await browser.page(home)
    assert "DDR4" in await browser.page(f"/device-requests/{request}")


async def test_handlers_are_kept(browser):
    fields = {"name": "Parts", "kind": "agent", "request_types": "get_parts, order", "lease_seconds": "5m"}
    made = await browser.send("/request-handlers", **fields, max_attempts="3", enabled="true")
    assert made.status_code == 204, made.text
    page = await browser.page(made.headers["hx-redirect"])
    assert "get_parts, order" in page
    assert "Fleetkeeper" in await browser.page("/request-handlers")


async def test_the_device_s_tab(desk, browser):
    await desk.submit("question", n=1)
    assert "question" in await browser.page(f"/devices/{desk.device.id}?tab=requests")
