"""The inbox act: a device asks, a person on a phone takes the request and answers, the device has its response."""

import asyncio

from playwright.async_api import expect

from fleetkeeper.identity.permissions import Role
from tests.e2e.browsers import NEEDS_BROWSER
from tests.fixtures.client import PASSWORD, make_user

pytestmark = NEEDS_BROWSER


async def test_a_person_answers_what_a_device_waits_for(app, device, visit):
    await make_user(app.state.database, "olga", Role.OPERATOR)
    body = {"type": "question", "payload": {"text": "Which disk failed?"}}
    sent = await device.client.post("/api/v1/requests", json=body)
    path = f"/api/v1/requests/{sent.json()['id']}/response"
    etag = (await device.client.get(path)).headers["etag"]
    olga = await visit("phone")
    page = olga.page
    await olga.sign_in("olga", PASSWORD)

    await olga.open("/device-requests/inbox")
    await page.get_by_role("link", name="question").first.click()
    await expect(page.get_by_text("Which disk failed?")).to_be_visible()
    assert await olga.is_within_its_width()
    await page.locator("form[action$='/take'] button[type=submit]").click()
    await page.locator("#answer [name=content]").fill("The left one")
    assert await olga.is_within_its_width()
    waiting = asyncio.create_task(
        device.client.get(path, params={"wait_seconds": 20}, headers={"If-None-Match": etag})
    )
    await page.locator("#answer button[type=submit]").click()
    await expect(page.get_by_text("Completed").first).to_be_visible()
    assert (await waiting).status_code == 200
    told = (await device.client.get(path)).json()
    assert (told["status"], told["content"]) == ("ready", {"text": "The left one"})

    await olga.open("/device-requests/inbox")
    await expect(page.get_by_text("Nothing waits for people")).to_be_visible()
    assert olga.problems == []
