"""The steps of an import in the console: upload, mapping, dry run, import, undo."""

from tests.factories.imports import HOME as API
from tests.factories.imports import upload

TEXT = "Machine,Serial,Colour\nsw-1,S1,red\n,S2,\n"
OPTIONS = {"identify_by": "name", "existing": "update", "empty_cells": "keep", "all_or_nothing": "row"}


async def test_columns_are_mapped_and_the_dry_run_shows_rows(browser, admin):
    made = await upload(admin, TEXT)
    assert "devices.csv" in await browser.page("/device-imports")
    address = f"/device-imports/{made['id']}"
    page = await browser.page(address)
    for text in ("Machine", "Serial", "Colour", "Leave out", "Save and run dry run"):
        assert text in page
    wrong = await browser.send(address, column_0="serial_number", column_1="serial_number", **OPTIONS)
    assert wrong.status_code == 422
    assert "has this field already" in wrong.text
    saved = await browser.send(address, column_0="name", column_1="serial_number", column_2="", **OPTIONS)
    assert saved.headers["HX-Redirect"] == address
    page = await browser.page(address)
    for text in ("sw-1", "serial_number: (empty) → S1", "Required", "Import devices", "left out: 1"):
        assert text in page
    asked = await browser.send(f"{address}/apply", change_reason="stocktaking")
    assert asked.headers["HX-Redirect"] == address
    assert (await admin.get(f"{API}/{made['id']}")).json()["status"] == "applying"
    assert "A job is at work" in await browser.page(address)


async def test_a_file_is_deleted(browser, admin):
    made = await upload(admin, TEXT)
    gone = await browser.send(f"/device-imports/{made['id']}/delete")
    assert gone.headers["HX-Redirect"] == "/device-imports"
    assert (await admin.get(f"{API}/{made['id']}")).status_code == 404
