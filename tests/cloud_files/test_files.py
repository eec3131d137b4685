"""Files of requests, by the doors: adding, seeing, downloading, trying again, deleting."""

import hashlib
import os
from types import SimpleNamespace

import pytest

from fleetkeeper.cloud_files.providers.opening import open_store
from fleetkeeper.cloud_files.providers.protocol import StoreError
from fleetkeeper.cloud_files.spool import LEFTOVER_SECONDS
from fleetkeeper.cloud_files.status import MOST_ATTEMPTS, wait_seconds
from fleetkeeper.settings.cloud_files import MEGABYTE
from tests.fixtures.client import enroll

PHOTO = b"\x00photo" * 1000


class Away:
    """A store that does nothing but refuse."""

    def __init__(self, **more):
        self.error = StoreError("The service is on holiday.", **more)

    async def put(self, cargo, progress):
        raise self.error


def away(**more):
    return lambda row, outside: Away(**more)


async def test_a_request_with_files_stays_out_of_the_archive(files):
    kept = await files.sent(PHOTO)
    cancelled = await files.desk.admin.post(
        f"/api/v1/requests/{files.request}/cancel", json={"reason": "Sold"}
    )
    assert cancelled.status_code == 200
    files.connection.execute("UPDATE device_requests SET created_at = created_at - interval '1 year'")
    await files.desk.run("archive")
    assert (await files.desk.get(files.request))["status"] == "cancelled"
    reason = {"X-Change-Reason": "Not needed"}
    deleted = await files.desk.admin.delete(f"/api/v1/cloud-files/{kept}", headers=reason)
    assert deleted.status_code == 204
    await files.desk.run("archive")
    assert (await files.desk.admin.get(f"/api/v1/archived-requests/{files.request}")).status_code == 200


class TestAdding:
    async def test_a_device_s_file_goes_to_its_store_and_back(self, files):
        made = await files.send(PHOTO, "photo.jpg")
        assert made.status_code == 201, made.text
        told = made.json()
        assert (told["name"], told["media_type"], told["file_type"]) == ("photo.jpg", "image/jpeg", "request")
        assert told["sha256"] == hashlib.sha256(PHOTO).hexdigest()
        assert files.spooled() == [told["id"]]
        pending = await files.get(told["id"])
        assert (pending["sync_status"], pending["uploaded_at"]) == ("pending", None)
        # While it waits, it is read from where it waits.
        assert (await files.content(told["id"])).content == PHOTO
        assert await files.sync() == 1
        synced = await files.get(told["id"])
        assert (synced["sync_status"], synced["cloud_provider"]) == ("synced", "local")
        assert synced["uploaded_at"] is not None
        assert synced["cloud_path"] == f"{told['id']}-photo.jpg"
        assert files.spooled() == []
        kept = files.outside.root / "local" / synced["cloud_path"]
        assert kept.read_bytes() == PHOTO
        assert kept.stat().st_mode & 0o777 == 0o600
        answer = await files.content(told["id"])
        assert answer.content == PHOTO
        assert answer.headers["content-disposition"].startswith("attachment;")
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"

    @pytest.mark.parametrize("kind", ["people", "agent"])
    async def test_a_file_of_a_response_reaches_the_device_with_the_response(self, files, kind):
        desk = files.desk
        made = await files.add(b"the answer")
        assert made.status_code == 201, made.text
        assert (made.json()["file_type"], made.json()["response_id"]) == ("response", None)
        path = f"/api/v1/requests/{files.request}/files"
        content = f"{path}/{made.json()['id']}/content"
        assert (await desk.device.client.get(path)).json() == {"results": []}
        assert (await desk.device.client.get(content)).status_code == 404
        await desk.handler(kind=kind)
        await desk.lease()
        await desk.answer(files.request)
        if kind == "agent":
            # An answer that waits for a person keeps its files back, too.
            assert (await desk.device.client.get(path)).json() == {"results": []}
            assert (await desk.device.client.get(content)).status_code == 404
            return
        response = (await desk.get(files.request))["response"]["id"]
        assert (await files.get(made.json()["id"]))["response_id"] == response
        (seen,) = (await desk.device.client.get(path)).json()["results"]
        assert seen["id"] == made.json()["id"]
        assert (await desk.device.client.get(content)).content == b"the answer"

    async def test_another_device_has_no_part_in_it(self, files, recorder, app, admin):
        other = await enroll(app, admin, "web-02")
        file_id = await files.sent(PHOTO)
        path = f"/api/v1/requests/{files.request}/files"
        assert (await other.client.get(path)).status_code == 404
        assert (await other.client.get(f"{path}/{file_id}/content")).status_code == 404
        refused = await other.client.post(path, params={"name": "x"}, content=b"x")
        assert refused.status_code == 404
        await other.client.aclose()

    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            ("../../etc/passwd", "passwd"),
            ("C:\\windows\\con.txt", "_con.txt"),
            ("a\x00b\u202egnp.exe", "abgnp.exe"),
            ("<script>.html", "_script_.html"),
            ("..", "file"),
            ("x" * 400 + ".tar.gz", None),
            ("Prüfung %2e%2e#?.pdf", "Prüfung %2e%2e#_.pdf"),
        ],
    )
    async def test_hostile_names(self, files, given, kept):
        file_id = await files.sent(b"x", given)
        told = await files.get(file_id)
        assert kept is None or told["name"] == kept
        assert len(told["name"]) <= 200
        assert told["cloud_path"].startswith(f"{file_id}-")
        assert not set(told["cloud_path"]) & set('/\\:*?"<>|\x00')
        await files.sync()
        assert [one.name for one in (files.outside.root / "local").iterdir()] == [told["cloud_path"]]
        assert (await files.content(file_id)).content == b"x"

    async def test_what_is_refused_leaves_nothing(self, files):
        for content, name, status, word in (
            (b"", "a", 422, "empty"),
            (b"x", "", 422, "name"),
        ):
            answer = await files.send(content, name)
            assert answer.status_code == status, answer.text
            assert word in answer.text
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        path = f"/api/v1/requests/{files.request}/files?name=a"
        answer = await files.desk.device.client.post(path, content=b"a=b", headers=form)
        assert answer.status_code == 422
        assert files.rows("id") == []
        assert list((files.outside.root / "incoming").iterdir()) == []

    async def test_limits_of_number_and_of_all(self, files, settings):
        settings.cloud_files.max_files_per_request = 1
        await files.sent(b"x")
        assert "1 files already" in (await files.send(b"x")).json()["detail"]
        settings.cloud_files.max_files_per_request = 10
        settings.cloud_files.max_local_megabytes = 0
        answer = await files.send(b"x")
        assert answer.status_code == 409
        assert "MAX_LOCAL_MEGABYTES" in answer.json()["detail"]
        assert len(files.spooled()) == 1

    async def test_the_same_key_makes_one_file_and_another_content_is_refused(self, files):
        path = f"/api/v1/requests/{files.request}/files"
        headers = {"Idempotency-Key": "upload-1"}
        post = files.desk.device.client.post
        first, again, other = [
            await post(path, params={"name": "a"}, content=content, headers=headers)
            for content in (b"one", b"one", b"two")
        ]
        assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
        assert first.json()["id"] == again.json()["id"]
        assert len(files.rows("id")) == 1
        assert len(files.spooled()) == 1


class TestTooLarge:
    @pytest.fixture
    def settings(self, settings):
        settings.cloud_files.max_file_megabytes = 1
        return settings

    async def test_it_is_refused_and_leaves_nothing(self, files):
        answer = await files.send(b"x" * (MEGABYTE + 1))
        assert answer.status_code == 413
        assert files.rows("id") == []
        assert list((files.outside.root / "incoming").iterdir()) == []
        assert (await files.send(b"x" * MEGABYTE)).status_code == 201


class TestDownloading:
    async def test_what_was_changed_in_the_store_is_told_and_refused(self, files):
        file_id = await files.sent(PHOTO)
        await files.sync()
        kept = files.outside.root / "local" / (await files.get(file_id))["cloud_path"]
        for content in (b"other" * 1200, PHOTO[:-1], PHOTO + b"more"):
            kept.write_bytes(content)
            answer = await files.content(file_id)
            assert answer.status_code == 409
            assert "SHA-256" in answer.json()["detail"]
            assert content[:20] not in answer.content
        kept.unlink()
        answer = await files.content(file_id)
        assert answer.status_code == 409
        assert "not in its store any more" in answer.json()["detail"]
        assert list((files.outside.root / "incoming").iterdir()) == []

    async def test_no_link_leads_out_of_the_folder(self, files, tmp_path):
        file_id = await files.sent(PHOTO)
        await files.sync()
        kept = files.outside.root / "local" / (await files.get(file_id))["cloud_path"]
        secret = tmp_path / "secret"
        secret.write_bytes(PHOTO)
        kept.unlink()
        kept.symlink_to(secret)
        assert (await files.content(file_id)).status_code == 503


class TestTryingAgain:
    async def test_attempts_are_bounded_and_wait_longer_each_time(self, files):
        file_id = await files.sent(PHOTO)
        waits = []
        for _ in range(MOST_ATTEMPTS):
            assert await files.sync(away()) == 1
            (wait,) = files.connection.execute(
                "SELECT extract(epoch FROM next_attempt_at - now())::float FROM cloud_file_refs"
            ).fetchone()
            waits.append(wait)
            assert await files.sync(away()) == 0
            files.connection.execute("UPDATE cloud_file_refs SET next_attempt_at = now()")
        assert waits == sorted(waits)
        failed = await files.get(file_id)
        assert (failed["sync_status"], failed["problem"]) == ("failed", "The service is on holiday.")
        assert await files.sync() == 0
        answer = await files.desk.admin.post(f"/api/v1/cloud-files/{file_id}/retry", json={"reason": "now"})
        assert (answer.json()["sync_status"], answer.json()["attempts"]) == ("pending", 0)
        assert await files.sync() == 1
        assert (await files.get(file_id))["sync_status"] == "synced"
        again = await files.desk.admin.post(f"/api/v1/cloud-files/{file_id}/retry", json={})
        assert again.status_code == 409

    async def test_what_cannot_be_cured_fails_at_once(self, files):
        file_id = await files.sent(PHOTO)
        await files.sync(away(is_final=True))
        assert (await files.get(file_id))["sync_status"] == "failed"

    async def test_a_store_says_how_long_to_wait(self, files):
        await files.sent(PHOTO)
        await files.sync(away(retry_after_seconds=5000.0))
        (wait,) = files.connection.execute(
            "SELECT extract(epoch FROM next_attempt_at - now())::float FROM cloud_file_refs"
        ).fetchone()
        assert 4900 < wait <= 5000

    async def test_an_unexpected_error_is_one_like_others(self, files):
        def broken(row, outside):
            return SimpleNamespace(put=None)

        file_id = await files.sent(PHOTO)
        await files.sync(broken)
        assert (await files.get(file_id))["problem"] == "Copying failed unexpectedly: TypeError."

    async def test_a_store_that_is_off_lets_files_wait(self, files):
        await files.sent(PHOTO)
        files.connection.execute("UPDATE cloud_stores SET is_active = false")
        assert await files.sync() == 0
        refused = await files.send(PHOTO)
        assert refused.status_code == 409
        assert "No active cloud store" in refused.json()["detail"]

    def test_waits_grow(self):
        assert [round(wait_seconds(n, draw=0.5)) for n in (1, 2, 3, 7)] == [30, 90, 270, 21_870]
        assert wait_seconds(60) <= 86_400
        assert wait_seconds(1, 600.0) == 600.0


class TestDeleting:
    async def test_a_file_goes_from_its_store(self, files):
        file_id = await files.sent(PHOTO)
        await files.sync()
        kept = files.outside.root / "local" / (await files.get(file_id))["cloud_path"]
        path = f"/api/v1/cloud-files/{file_id}"
        assert (await files.desk.admin.delete(path)).status_code == 422
        gone = await files.desk.admin.delete(path, headers={"X-Change-Reason": "wrong one"})
        assert gone.status_code == 204
        assert kept.exists()
        assert await files.remove() == 1
        assert not kept.exists()
        assert await files.remove() == 0

    async def test_files_go_with_their_request(self, files):
        for number in range(2):
            await files.sent(b"%d" % number)
            await files.sync() if not number else None
        files.connection.execute("DELETE FROM device_requests")
        assert files.rows("id") == []
        assert await files.remove() == 2
        assert files.spooled() == []
        assert list((files.outside.root / "local").iterdir()) == []

    async def test_what_is_deleted_while_it_is_copied_does_not_stay(self, files):
        file_id = await files.sent(PHOTO)

        def deleting(row, outside):
            inner = open_store(row, outside)

            async def put(cargo, progress):
                place = await inner.put(cargo, progress)
                files.connection.execute("DELETE FROM cloud_file_refs")
                files.connection.execute("DELETE FROM cloud_file_removals")
                return place

            return SimpleNamespace(put=put)

        await files.sync(deleting)
        assert (await files.desk.admin.get(f"/api/v1/cloud-files/{file_id}")).status_code == 404
        assert await files.remove() == 1
        assert list((files.outside.root / "local").iterdir()) == []

    async def test_leftovers_go(self, files):
        file_id = await files.sent(PHOTO)
        root = files.outside.root
        orphan = "0198c0de-7c00-7a00-8000-000000000000"
        (root / "spool" / orphan).write_bytes(b"x")
        (root / "incoming" / f"{orphan}.part").write_bytes(b"x")
        assert await files.clean_up() == 0
        for path in (*(root / "spool").iterdir(), *(root / "incoming").iterdir()):
            os.utime(path, (0, path.stat().st_mtime - LEFTOVER_SECONDS - 60))
        assert await files.clean_up() == 2
        assert files.spooled() == [file_id]
        assert list((root / "incoming").iterdir()) == []


async def test_lists_and_filters(files):
    first = await files.sent(b"one", "one.txt")
    await files.sync()
    second = await files.sent(b"two", "two.txt")
    get = files.desk.admin.get

    async def found(query: str) -> list[str]:
        answer = await get(f"/api/v1/cloud-files?{query}")
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()["results"]]

    assert await found("") == [second, first]
    assert await found("sync_status=pending") == [second]
    assert await found("cloud_provider=local&ordering=name") == [first, second]
    assert await found(f"request_id={files.request}&q=two") == [second]
    of_request = (await get(f"/api/v1/device-requests/{files.request}/files")).json()
    assert of_request["count"] == 2
    assert of_request["results"][0]["store_name"] == "This server"
    assert "two.txt" in (await get("/api/v1/cloud-files/export")).text
    # As readers of document 001 ask.
    seen = files.connection.execute(
        "SELECT * FROM cloud_file_refs WHERE sync_status = 'failed' OR cloud_provider = 'local'"
    ).fetchall()
    assert len(seen) == 2
