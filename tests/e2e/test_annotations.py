"""In a browser: a list's view is saved and opened again, a device gets a tag and a note."""

import re

from playwright.async_api import expect

from fleetkeeper.identity.permissions import Role
from tests.e2e.browsers import NEEDS_BROWSER
from tests.fixtures.client import PASSWORD, enroll, make_user

pytestmark = NEEDS_BROWSER


async def test_a_view_is_saved_and_opened(app, visit):
    await make_user(app.state.database, "maria", Role.ADMIN)
    visitor = await visit()
    await visitor.sign_in("maria", PASSWORD)
    page = visitor.page
    await visitor.open("/devices?status=offline&ordering=-name")
    await page.get_by_text("Views", exact=True).click()
    await page.get_by_label("Save current view as").fill("Offline, from Z")
    await page.get_by_role("button", name="Save view").click()
    await page.wait_for_load_state()
    await visitor.open("/devices")
    await page.get_by_text("Views", exact=True).click()
    await page.get_by_role("link", name="Offline, from Z").click()
    await expect(page).to_have_url(re.compile(r"/devices\?status=offline&ordering=-name$"))
    await page.get_by_text("Views", exact=True).click()
    page.once("dialog", lambda dialog: dialog.accept())
    await page.get_by_role("button", name="Delete the view").click()
    await expect(page.get_by_text("Deleted the view Offline, from Z.")).to_be_visible()
    assert not visitor.problems


async def test_a_device_gets_a_tag_and_a_note(app, admin, visit):
    device = await enroll(app, admin, "web-01")
    await device.client.aclose()
    await make_user(app.state.database, "maria", Role.ADMIN)
    visitor = await visit()
    await visitor.sign_in("maria", PASSWORD)
    page = visitor.page
    await visitor.open("/tags")
    await page.get_by_text("Create tag").first.click()
    await page.locator("#new-tag-name").fill("Web servers")
    await page.locator("#new-tag-color").select_option("teal")
    await page.get_by_role("button", name="Create tag").click()
    await expect(page.get_by_role("heading", name="Web servers")).to_be_attached()
    await visitor.open(f"/devices/{device.id}?tab=settings")
    await page.get_by_text("Edit tags").click()
    await page.get_by_label("Web servers").check()
    await page.get_by_role("button", name="Save tags").click()
    await expect(page.locator("#tags .is-teal")).to_have_text("Web servers")
    await visitor.open("/devices?tag=web-servers&columns=name&columns=tags")
    await expect(page.locator(".list-table .is-teal")).to_have_text("Web servers")
    await expect(page.get_by_label("Tag", exact=True)).to_have_value("web-servers")
    await visitor.open(f"/devices/{device.id}?tab=notes")
    await page.get_by_text("Add note").first.click()
    await page.locator("#new-note-body").fill("**Fan** <img src=x onerror=alert(1)>")
    await page.get_by_role("button", name="Add note").click()
    await expect(page.locator(".note-text strong")).to_have_text("Fan")
    await expect(page.locator(".note-text")).to_contain_text("<img src=x")
    await page.get_by_text("Edit note").click()
    await page.get_by_label("Text").first.fill("Fan replaced")
    await page.get_by_role("button", name="Save note").click()
    await expect(page.locator(".note-text")).to_have_text("Fan replaced")
    page.once("dialog", lambda dialog: dialog.accept())
    await page.get_by_role("button", name="Delete", exact=True).click()
    await expect(page.get_by_text("No notes yet.")).to_be_visible()
    assert not visitor.problems


async def test_a_group_gets_a_note(app, admin, visit):
    key = (await admin.post("/api/v1/groups", json={"name": "Night shift"})).json()["id"]
    await make_user(app.state.database, "maria", Role.ADMIN)
    visitor = await visit()
    await visitor.sign_in("maria", PASSWORD)
    page = visitor.page
    await visitor.open(f"/groups/{key}")
    await page.get_by_role("link", name="Notes").click()
    await page.get_by_text("Add note").first.click()
    await page.locator("#new-note-body").fill("Call **Nora** first")
    await page.get_by_role("button", name="Add note").click()
    await expect(page.locator(".note-text strong")).to_have_text("Nora")
    await expect(page.get_by_role("heading", name="Night shift")).to_be_visible()
    assert not visitor.problems


async def test_a_field_is_defined_filled_and_filtered_by(app, admin, visit):
    for name in ("db-01", "web-01"):
        device = await enroll(app, admin, name)
        await device.client.aclose()
    await make_user(app.state.database, "maria", Role.ADMIN)
    visitor = await visit()
    await visitor.sign_in("maria", PASSWORD)
    page = visitor.page
    for label, mark in (("Rack unit", "Number"), ("BIOS password", "Text")):
        await visitor.open("/custom-fields")
        await page.get_by_text("Create field").first.click()
        await page.locator("#new-field-label").fill(label)
        await page.get_by_role("radio", name=mark).check()
        if mark == "Text":
            await page.get_by_role("switch", name="Sensitive").check()
        await page.get_by_role("button", name="Create field").click()
        await expect(page.get_by_role("heading", name=label)).to_be_attached()
    await visitor.open(f"/devices/{device.id}?tab=fields")
    await page.get_by_text("Edit custom fields").click()
    await page.get_by_label("Rack unit").fill("42")
    await page.get_by_label("BIOS password").fill("s3cret")
    await page.get_by_role("button", name="Save custom fields").click()
    values = page.locator("#custom-fields")
    await expect(values).to_contain_text("42")
    await expect(values).to_contain_text("********")
    page.once("dialog", lambda dialog: dialog.accept())
    await values.get_by_role("button", name="Reveal").click()
    await expect(page.locator("#secret")).to_have_text("s3cret")
    await visitor.open("/devices?cf_rack_unit__gte=40&columns=name&columns=cf_rack_unit")
    await expect(page.locator(".list-table tbody tr")).to_have_count(1)
    await expect(page.locator(".list-table tbody tr")).to_contain_text("42")
    await expect(page.get_by_text("Rack unit is at least")).to_be_visible()
    assert not visitor.problems


async def test_a_file_is_attached_downloaded_and_deleted(app, admin, visit, tmp_path):
    device = await enroll(app, admin, "web-01")
    await device.client.aclose()
    await make_user(app.state.database, "maria", Role.ADMIN)
    visitor = await visit()
    await visitor.sign_in("maria", PASSWORD)
    page = visitor.page
    await visitor.open(f"/devices/{device.id}?tab=files")
    plan, large = tmp_path / "plan.html", tmp_path / "large.bin"
    plan.write_text("<script>alert(1)</script>")
    large.write_bytes(b"x" * (10 * 1024 * 1024 + 1))
    await page.get_by_label("Add files").set_input_files([large])
    await page.get_by_role("button", name="Upload").click()
    await expect(page.locator("[data-uploads]")).to_contain_text("Larger than 10 MiB")
    await page.get_by_label("Add files").set_input_files([plan])
    await page.get_by_role("button", name="Upload").click()
    link = page.locator("#attachments").get_by_role("link", name="plan.html")
    await expect(link).to_be_visible()
    async with page.expect_download() as starting:
        await link.click()
    download = await starting.value
    assert download.suggested_filename == "plan.html"
    await download.save_as(tmp_path / "back.html")
    assert (tmp_path / "back.html").read_text() == plan.read_text()
    page.once("dialog", lambda dialog: dialog.accept())
    await page.locator("#attachments").get_by_role("button", name="Delete").click()
    await expect(page.get_by_text("No files yet.")).to_be_visible()
    assert not visitor.problems


async def test_a_page_is_bookmarked_and_found_again(app, admin, visit):
    await make_user(app.state.database, "maria", Role.ADMIN)
    visitor = await visit()
    await visitor.sign_in("maria", PASSWORD)
    page = visitor.page
    await visitor.open("/devices?status=offline")
    star = page.locator("#bookmarks")
    await star.locator("summary").click()
    await expect(star).to_contain_text("No bookmarks yet.")
    await page.get_by_role("button", name="Bookmark this page").click()
    await expect(page.get_by_role("button", name="Remove this bookmark")).to_be_visible()
    await visitor.open("/jobs")
    await star.locator("summary").click()
    await expect(page.get_by_role("button", name="Bookmark this page")).to_be_visible()
    await star.get_by_role("link", name="Devices").click()
    await expect(page).to_have_url(re.compile(r"/devices\?status=offline$"))
    await star.locator("summary").click()
    await page.get_by_role("button", name="Remove this bookmark").click()
    await expect(star).to_contain_text("No bookmarks yet.")
    assert not visitor.problems
