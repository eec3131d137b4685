"""Files of device requests and cloud stores in the console."""

import pytest

from tests.cloud_files.conftest import Files
from tests.device_requests.conftest import Desk


@pytest.fixture
async def files(app, settings, admin, device, connection) -> Files:
    desk = Desk(app, settings, admin, device)
    return Files(desk, connection, settings, await desk.submit("question", n=1))


async def test_files_of_a_request_and_their_page(files, browser):
    assert "No files yet" in await browser.page("/cloud-files")
    file_id = await files.sent(b"x", "<b>slot</b>.jpg")
    tab = await browser.page(f"/device-requests/{files.request}?tab=files")
    assert f"/cloud-files/{file_id}" in tab
    assert f"/api/v1/device-requests/{files.request}/files?file_type=response" in tab
    page = await browser.page(f"/cloud-files/{file_id}")
    assert "This server" in page
    assert "<b>slot" not in page
    assert "Try again" in page
    await files.sync()
    page = await browser.page(f"/cloud-files/{file_id}")
    assert "Synced" in page
    assert "Try again" not in page
    assert file_id in await browser.page("/cloud-files?sync_status=synced")
    assert file_id not in await browser.page("/cloud-files?sync_status=failed")


async def test_trying_again_and_deleting(files, browser):
    file_id = await files.sent(b"x")
    home = f"/cloud-files/{file_id}"
    files.connection.execute(
        "UPDATE cloud_file_refs SET sync_status = 'failed', problem = 'The disk is full.', attempts = 8"
    )
    assert "The disk is full." in await browser.page("/cloud-files?sync_status=failed")
    assert (await browser.send(f"{home}/retry")).headers["hx-redirect"] == home
    assert (await files.get(file_id))["sync_status"] == "pending"
    assert "Failed → Pending" in await browser.page(home)
    await files.sync()
    refused = await browser.send(f"{home}/retry")
    assert refused.status_code == 409
    assert (await browser.send(f"{home}/delete")).status_code == 422
    gone = await browser.send(f"{home}/delete", change_reason="wrong one")
    assert gone.headers["hx-redirect"] == f"/device-requests/{files.request}?tab=files"
    await browser.page(home, 404)


async def test_stores_are_kept_and_checked(files, browser):
    assert "This server" in await browser.page("/cloud-stores")
    fields = {"name": "Bucket", "provider": "s3", "bucket": "fleet", "is_active": "true"}
    refused = await browser.send("/cloud-stores", **fields)
    assert refused.status_code == 422
    assert "Required for S3-compatible bucket" in refused.text
    complete = fields | {"client_id": "somebody", "secret": "hush hush", "endpoint": "http://127.0.0.1:9"}
    made = await browser.send("/cloud-stores", **complete)
    assert made.status_code == 204, made.text
    home = made.headers["hx-redirect"]
    page = await browser.page(home)
    assert "Stored, sealed" in page
    assert "hush hush" not in page
    assert "hush hush" not in await browser.page(f"{home}?tab=settings")
    checked = await browser.send(f"{home}/check")
    assert "not a public address" in checked.text
    # Left empty, the credential stays; another server needs it again.
    kept = {**complete, "secret": "", "name": "Pail"}
    assert (await browser.send(home, **kept)).status_code == 204
    moved = await browser.send(home, **{**kept, "endpoint": "http://127.0.0.1:10"})
    assert moved.status_code == 422
    assert "Required for S3-compatible bucket" in moved.text
    assert (await browser.send(f"{home}/delete", change_reason="gone")).status_code == 204
