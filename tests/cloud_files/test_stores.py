"""Stores: what they need, who keeps them, and one on an S3-like service, which is moto's server on loopback."""

import urllib.request
from urllib.error import HTTPError

import pytest
from moto.server import ThreadedMotoServer

from fleetkeeper.cloud_files.providers.s3 import S3Store
from fleetkeeper.identity.permissions import Role
from tests.factories.cloud_files import key_file
from tests.factories.identity import give, make_token, make_tree, make_user
from tests.fixtures.client import TEST_CONTEXT

SECRET = "a secret that nobody may read"


@pytest.fixture(scope="module")
def endpoint():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    urllib.request.urlopen(urllib.request.Request(f"{url}/fleet-files", method="PUT")).close()
    yield url
    server.stop()


@pytest.fixture
async def bucket(files, endpoint) -> str:
    return await files.store(
        "s3", bucket="fleet-files", folder="requests", endpoint=endpoint, client_id="somebody", secret=SECRET
    )


def put(endpoint: str, path: str, content: bytes) -> None:
    """Somebody else changes an object."""
    request = urllib.request.Request(f"{endpoint}/fleet-files/{path}", data=content, method="PUT")
    urllib.request.urlopen(request).close()


def is_there(endpoint: str, path: str) -> bool:
    try:
        urllib.request.urlopen(f"{endpoint}/fleet-files/{path}").close()
    except HTTPError as error:
        error.close()
        return False
    return True


class TestS3:
    async def test_there_and_back_and_gone(self, files, bucket, endpoint):
        content = b"photo" * 500_000
        file_id = await files.sent(content)
        await files.sync()
        told = await files.get(file_id)
        assert (told["sync_status"], told["cloud_path"]) == ("synced", f"requests/{file_id}-photo.jpg")
        assert (await files.content(file_id)).content == content
        put(endpoint, told["cloud_path"], content + b"!")
        assert "SHA-256" in (await files.content(file_id)).json()["detail"]
        reason = {"X-Change-Reason": "wrong"}
        await files.desk.admin.delete(f"/api/v1/cloud-files/{file_id}", headers=reason)
        assert await files.remove() == 1
        assert not is_there(endpoint, told["cloud_path"])

    async def test_what_was_copied_before_is_not_copied_again(self, files, bucket, monkeypatch):
        file_id = await files.sent(b"content")
        await files.sync()
        copied = []
        inner = S3Store._digest

        def digest(self, key):
            copied.append(key)
            return inner(self, key)

        monkeypatch.setattr(S3Store, "_digest", digest)
        # As if the commit had been lost.
        files.connection.execute("UPDATE cloud_file_refs SET sync_status = 'pending', uploaded_at = NULL")
        (files.outside.root / "spool" / file_id).write_bytes(b"content")
        await files.sync()
        assert (await files.get(file_id))["sync_status"] == "synced"
        assert len(copied) == 1

    async def test_checking(self, files, bucket):
        check = f"/api/v1/cloud-stores/{bucket}/check"
        assert (await files.desk.admin.post(check)).json() == {
            "works": True,
            "detail": "The bucket can be written.",
        }

    async def test_one_that_is_away(self, files):
        away = await files.store(
            "s3", bucket="fleet-files", endpoint="http://127.0.0.1:9", client_id="x", secret=SECRET
        )
        answer = await files.desk.admin.post(f"/api/v1/cloud-stores/{away}/check")
        assert answer.json()["works"] is False
        assert SECRET not in answer.text


class TestKeeping:
    async def test_no_answer_and_no_row_has_the_secret(self, files, bucket):
        get = files.desk.admin.get
        for path in ("/api/v1/cloud-stores", f"/api/v1/cloud-stores/{bucket}", "/api/v1/cloud-stores/export"):
            assert SECRET not in (await get(path)).text
        rows = files.connection.execute(
            "SELECT to_jsonb(c)::text, secret_sealed FROM cloud_stores c"
        ).fetchall()
        log = files.connection.execute("SELECT to_jsonb(a)::text FROM audit_log a").fetchall()
        assert SECRET not in str(rows) + str(log)
        assert SECRET.encode() not in b"".join(bytes(sealed or b"") for _, sealed in rows)

    @pytest.mark.parametrize(
        ("body", "fields"),
        [
            ({"provider": "s3"}, {"bucket", "client_id", "secret", "region"}),
            ({"provider": "sharepoint"}, {"drive_id", "tenant_id", "client_id", "secret"}),
            ({"provider": "google-drive", "secret": "{}"}, {"folder", "secret"}),
            ({"provider": "google-drive", "folder": "../x", "secret": "x"}, {"folder", "secret"}),
            ({"provider": "local", "folder": "a/../../b"}, {"folder"}),
            ({"provider": "local", "folder": "/etc"}, {"folder"}),
            ({"provider": "local", "secret": "x"}, {"secret"}),
            ({"provider": "s3", "endpoint": "file:///etc"}, {"endpoint"}),
            ({"provider": "dropbox"}, {"provider"}),
        ],
    )
    async def test_what_is_missing_or_wrong_is_named(self, files, body, fields):
        answer = await files.desk.admin.post("/api/v1/cloud-stores", json={"name": "x"} | body)
        assert answer.status_code == 422
        assert {one["field"] for one in answer.json()["errors"]} == fields

    async def test_the_secret_does_not_go_to_another_server(self, files, bucket):
        path = f"/api/v1/cloud-stores/{bucket}"
        present = (await files.desk.admin.get(path)).json()
        known = {"id", "has_secret", "version", "created_at", "updated_at"}
        body = {name: value for name, value in present.items() if name not in known}
        assert (await files.desk.admin.put(path, json=body | {"name": "Pail"})).json()["has_secret"] is True
        moved = await files.desk.admin.put(path, json=body | {"endpoint": "https://attacker.example"})
        assert moved.status_code == 422
        assert [one["field"] for one in moved.json()["errors"]] == ["secret"]

    async def test_where_files_are_stays(self, files, bucket):
        await files.sent(b"x")
        path = f"/api/v1/cloud-stores/{bucket}"
        body = {
            "name": "s3",
            "provider": "s3",
            "bucket": "another",
            "region": "eu-1",
            "client_id": "x",
            "secret": "y",
        }
        refused = await files.desk.admin.put(path, json=body)
        assert refused.status_code == 422
        assert {one["field"] for one in refused.json()["errors"]} == {"bucket", "endpoint"}
        gone = await files.desk.admin.delete(path, headers={"X-Change-Reason": "old"})
        assert gone.status_code == 409
        assert "has files" in gone.json()["detail"]

    async def test_a_service_account_s_key(self, files):
        made = await files.store("google-drive", folder="abcdef-1234", secret=key_file())
        (sealed,) = files.connection.execute(
            "SELECT secret_sealed FROM cloud_stores WHERE id = %s", (made,)
        ).fetchone()
        assert b"PRIVATE KEY" not in bytes(sealed)


class TestDepartments:
    @pytest.fixture
    async def people(self, files):
        """The device stands in Harbour, below North; Nora works in Harbour and Sven in South."""
        desk = files.desk
        async with desk.app.state.database.session(TEST_CONTEXT) as session:
            north, harbour, south = await make_tree(session)
            tokens = []
            for name, place in (("nora", harbour), ("sven", south)):
                user = await make_user(session, name)
                await give(session, user, Role.OPERATOR, place)
                tokens.append(await make_token(session, user))
        body = {"department_id": str(harbour.id)}
        assert (await desk.admin.patch(f"/api/v1/devices/{desk.device.id}", json=body)).status_code == 200
        async with desk.app.client(tokens[0]) as nora, desk.app.client(tokens[1]) as sven:
            yield nora, sven, north, south

    async def test_another_department_sees_and_does_nothing(self, files, people):
        nora, sven, _, south = people
        file_id = await files.sent(b"x", "secret-plan.txt")
        path, of_request = f"/api/v1/cloud-files/{file_id}", f"/api/v1/device-requests/{files.request}/files"
        assert (await nora.get("/api/v1/cloud-files")).json()["count"] == 1
        assert (await nora.get(f"{path}/content")).content == b"x"
        for listed in ("/api/v1/cloud-files", "/api/v1/cloud-files?q=secret", "/api/v1/cloud-files/export"):
            assert "secret-plan" not in (await sven.get(listed)).text
        for answer in (
            await sven.get(path),
            await sven.get(f"{path}/content"),
            await sven.post(f"{path}/retry", json={}),
            await sven.delete(path, headers={"X-Change-Reason": "x"}),
            await sven.get(of_request),
            await sven.post(of_request, params={"name": "x"}, content=b"x"),
        ):
            assert answer.status_code == 404, answer.text
        assert len(files.rows("id")) == 1
        assert list((files.outside.root / "incoming").iterdir()) == []
        # They move with their device.
        body = {"department_id": str(south.id)}
        await files.desk.admin.patch(f"/api/v1/devices/{files.desk.device.id}", json=body)
        assert (await sven.get(path)).status_code == 200
        assert (await nora.get(path)).status_code == 404

    async def test_a_file_goes_to_the_nearest_department_s_store(self, files, people):
        nora, _, north, south = people
        of_all = await files.store("s3", bucket="all-files", region="x", client_id="x", secret="x")
        await files.store("local", name="South", department_id=str(south.id))
        first = await files.sent(b"x")
        of_north = await files.store("local", name="North", folder="north", department_id=str(north.id))
        second = await files.sent(b"x")
        assert (await files.get(first))["store_id"] == of_all
        told = await files.get(second)
        assert (told["store_id"], told["cloud_path"].partition("/")[0]) == (of_north, "north")
        # Nora does not see the store of the department above, and reads the file all the same.
        assert (await nora.get(f"/api/v1/cloud-stores/{of_north}")).status_code == 404
        await files.sync()
        assert (await nora.get(f"/api/v1/cloud-files/{second}/content")).content == b"x"
        assert (await nora.get(f"/api/v1/cloud-files/{second}")).json()["store_name"] == ""

    async def test_who_keeps_which_store(self, files, people):
        nora, sven, north, south = people
        body = {"name": "Mine", "provider": "local"}
        assert (await sven.post("/api/v1/cloud-stores", json=body)).status_code == 403
        other = await sven.post("/api/v1/cloud-stores", json=body | {"department_id": str(north.id)})
        assert other.status_code == 403
        made = await sven.post("/api/v1/cloud-stores", json=body | {"department_id": str(south.id)})
        assert made.status_code == 201
        path = f"/api/v1/cloud-stores/{made.json()['id']}"
        assert (await nora.get(path)).status_code == 404
        assert (await nora.post(f"{path}/check")).status_code == 404
        assert (await sven.post(f"{path}/check")).json()["works"] is True
        (shared,) = (await sven.get("/api/v1/cloud-stores?name=This%20server")).json()["results"]
        assert (await sven.post(f"/api/v1/cloud-stores/{shared['id']}/check")).status_code == 403
