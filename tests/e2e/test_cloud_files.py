"""A person adds a file to a response, sees it copied, and checks where it went."""

from playwright.async_api import expect

from fleetkeeper.identity.permissions import Role
from tests.e2e.browsers import NEEDS_BROWSER
from tests.fixtures.client import PASSWORD, make_user
from tests.fixtures.jobs import run_job

pytestmark = NEEDS_BROWSER


async def test_a_file_is_added_copied_and_found(app, settings, device, visit):
    await make_user(app.state.database, "olga", Role.OPERATOR)
    sent = await device.client.post("/api/v1/requests", json={"type": "question", "payload": {}})
    olga = await visit("phone")
    page = olga.page
    await olga.sign_in("olga", PASSWORD)

    await olga.open(f"/device-requests/{sent.json()['id']}?tab=files")
    await expect(page.get_by_text("No files yet")).to_be_visible()
    file = {"name": "manual.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 pages"}
    await page.locator("#add-files-files").set_input_files(files=[file])
    await page.locator("#add-files button[type=submit]").click()
    await expect(page.get_by_role("link", name="manual.pdf")).to_be_visible()
    await expect(page.get_by_text("Pending").first).to_be_visible()
    assert await olga.is_within_its_width()

    await run_job(app, settings, "cloud_files.sync")
    await page.get_by_role("link", name="manual.pdf").click()
    await expect(page.get_by_text("Synced").first).to_be_visible()
    assert await olga.is_within_its_width()
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Download").click()
    assert (await download.value).suggested_filename == "manual.pdf"

    await olga.open("/cloud-stores")
    await expect(page.get_by_role("link", name="This server")).to_be_visible()
    assert await olga.is_within_its_width()
    assert olga.problems == []
