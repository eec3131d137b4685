"""The steps of an import in the console: upload, mapping, dry run, import, undo."""

from tests.factories.imports import HOME as API
from tests.factories.imports import upload, waiting_run
from tests.fixtures.jobs import run_job

TEXT = "Machine,Serial,Colour\nsw-1,S1,red\n,S2,\n"
OPTIONS = {"identify_by": "name", "existing": "update", "empty_cells": "keep", "all_or_nothing": "row"}


async def test_columns_are_mapped_and_the_dry_run_shows_rows(browser, admin):
    made = await upload(admin, TEXT)
    assert "devices.csv" in await browser.page("/device-imports")
    address = f"/device-imports/{made['id']}"
    page = await browser.page(address)
    for text in ("Machine", "Serial", "Colour", "Such as red", "Leave out", "Save and run dry run"):
        assert text in page
    wrong = await browser.send(address, column_0="serial_number", column_1="serial_number", **OPTIONS)
    assert wrong.status_code == 422
    assert "has this field already" in wrong.text
    saved = await browser.send(address, column_0="name", column_1="serial_number", column_2="", **OPTIONS)
    assert saved.headers["HX-Redirect"] == address
    page = await browser.page(address)
    for text in ("sw-1", "Name: sw-1; Serial number: S1", "Name: Required", "Import devices", "left out: 1"):
        assert text in page
    asked = await browser.send(f"{address}/apply", change_reason="stocktaking")
    assert asked.headers["HX-Redirect"] == address
    assert (await admin.get(f"{API}/{made['id']}")).json()["status"] == "applying"
    page = await browser.page(address)
    for text in ("Import in progress", "0 of 1", f'hx-get="{address}/progress"'):
        assert text in page


async def test_a_file_is_deleted(browser, admin):
    made = await upload(admin, TEXT)
    gone = await browser.send(f"/device-imports/{made['id']}/delete")
    assert gone.headers["HX-Redirect"] == "/device-imports"
    assert (await admin.get(f"{API}/{made['id']}")).status_code == 404


async def test_the_progress_ends_where_the_job_does(app, settings, browser, admin):
    made = await upload(admin, TEXT)
    address = f"/device-imports/{made['id']}"
    await browser.send(address, column_0="name", column_1="serial_number", column_2="", **OPTIONS)
    await browser.send(f"{address}/apply", change_reason="stocktaking")
    assert "0 of 1" in await browser.page(f"{address}/progress")
    await run_job(app, settings, "devices.apply_import", await waiting_run(app, "devices.apply_import"))
    ended = await browser.client.get(f"{address}/progress", headers={"HX-Request": "true"})
    assert (ended.status_code, ended.headers["HX-Redirect"]) == (204, address)
    page = await browser.page(address)
    for text in ("1 created, 1 wrong", "Undo import"):
        assert text in page


async def test_an_import_stands_below_devices_and_long_names_leave_room(browser, admin):
    made = await upload(admin, "Name\n" + 300 * "x" + "\n")
    address = f"/device-imports/{made['id']}"
    await browser.send(address, column_0="name", **OPTIONS)
    page = await browser.page(address)
    assert 'href="/device-imports" aria-current="page"' in " ".join(page.split())
    assert 60 * "x" + "…" in page
    assert 61 * "x" not in page
