"""In a browser: a file of devices is uploaded, mapped, tried, imported and undone."""

import pytest
from playwright.async_api import expect

from fleetkeeper.identity.permissions import Role
from tests.e2e.browsers import NEEDS_BROWSER
from tests.factories.imports import waiting_run
from tests.fixtures.client import PASSWORD, make_user
from tests.fixtures.jobs import run_job

pytestmark = NEEDS_BROWSER
FILE = {"name": "switches.csv", "mimeType": "text/csv", "buffer": b"Machine;Serial\nsw-1;S1\nsw-2;S2\n;S3\n"}


@pytest.mark.parametrize(("size", "scheme"), [("desktop", "light"), ("phone", "dark")])
async def test_a_file_is_imported_in_steps(app, settings, visit, size, scheme):
    await make_user(app.state.database, "maria", Role.ADMIN)
    visitor = await visit(size, scheme)
    await visitor.sign_in("maria", PASSWORD)
    page = visitor.page
    await visitor.open("/device-imports")
    await page.get_by_label("Files to import", exact=True).set_input_files([FILE])
    await page.get_by_role("button", name="Upload").click()
    # One file leads on to its page.
    await page.locator("#mapping-column_0").select_option("name")
    await page.get_by_role("button", name="Save and run dry run").click()
    await expect(page.get_by_text("Serial number: S1")).to_be_visible()
    await page.locator("#apply-change_reason").fill("stocktaking")
    await page.get_by_role("button", name="Import devices").click()
    await expect(page.get_by_text("Import in progress")).to_be_visible()
    await run_job(app, settings, "devices.apply_import", await waiting_run(app, "devices.apply_import"))
    await expect(page.get_by_text("2 created")).to_be_visible()
    await page.locator("#undo summary").click()
    await page.locator("#undo-change_reason").fill("wrong file")
    await page.get_by_role("button", name="Undo import").click()
    await expect(page.get_by_text("Undo in progress")).to_be_visible()
    await run_job(app, settings, "devices.undo_import", await waiting_run(app, "devices.undo_import"))
    await expect(page.get_by_text("2 deleted")).to_be_visible()
    assert not visitor.problems
