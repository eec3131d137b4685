"""SharePoint and Google Drive, by fakes that throttle, drop connections, expire tokens and page."""

import hashlib
import random
from types import SimpleNamespace

import pytest

from fleetkeeper.cloud_files.providers.opening import open_store
from tests.factories.cloud_files import Asked

CHUNK = 320 * 1024


def content_of(number: int, size_bytes: int = CHUNK + 1000) -> bytes:
    return random.Random(number).randbytes(size_bytes)


class Killed(BaseException):
    """The process dies."""


class Troubles:
    """Some requests are throttled, some parts are dropped in their middle, some answers are lost."""

    def __init__(self) -> None:
        self._random = random.Random(5)
        self.counts = {"throttle": 0, "drop": 0, "lose": 0, "": 0}

    def __call__(self, asked: Asked) -> str:
        is_part = asked.method == "PUT" and int(asked.headers.get("content-length", 0)) > 0
        draw = self._random.random()
        fault = "drop" if is_part and draw < 0.15 else ""
        fault = "throttle" if 0.2 < draw < 0.28 else "lose" if 0.3 < draw < 0.34 else fault
        self.counts[fault] += 1
        return fault


@pytest.fixture(params=["graph", "drive"])
def service(request):
    """Either fake with its store, and what it holds: contents by names."""
    fake = request.getfixturevalue(request.param)
    request.getfixturevalue({"graph": "library", "drive": "drive_folder"}[request.param])
    if request.param == "graph":
        held = lambda: {path.rpartition("/")[2]: item[1] for path, item in fake.items.items()}  # noqa: E731
    else:
        held = lambda: dict(fake.files.values())  # noqa: E731
    return SimpleNamespace(fake=fake, held=held, kind=request.param)


async def test_twenty_files_through_trouble_are_each_there_once(files, service):
    service.fake.fault = Troubles()
    service.fake.uses_of_token = 25
    sent = {await files.sent(content_of(number), f"file-{number}.bin"): number for number in range(20)}
    await files.sync_all()
    rows = files.rows("id::text, sync_status, sha256, cloud_path, remote_id")
    failed = [row for row in files.rows("attempts, uploaded_bytes, problem") if row[2]]
    assert failed == []
    held = service.held()
    assert len(held) == 20
    for key, _, sha256, path, remote_id in rows:
        content = held[path.rpartition("/")[2]]
        assert content == content_of(sent[key])
        assert hashlib.sha256(content).hexdigest() == sha256
        assert remote_id
    assert all(service.fake.fault.counts.values()), service.fake.fault.counts
    assert service.fake.sign_ins > 1
    assert files.spooled() == []
    service.fake.fault = lambda asked: ""
    for key in list(sent)[:3]:
        assert (await files.content(key)).content == content_of(sent[key])


async def test_an_upload_goes_on_where_it_was(files, service):
    """The connection drops in the middle of the third part; the next attempt begins with that one."""
    parts = 0

    def third(asked: Asked) -> str:
        nonlocal parts
        if asked.method == "PUT" and int(asked.headers.get("content-length", 0)):
            parts += 1
            return "drop" if parts == 3 else ""
        return ""

    service.fake.fault = third
    content = content_of(1, CHUNK * 4 + 7)
    file_id = await files.sent(content)
    await files.sync()
    half = await files.get(file_id)
    step = CHUNK if service.kind == "graph" else 256 * 1024
    assert (half["sync_status"], half["uploaded_bytes"], half["attempts"]) == ("pending", 2 * step, 1)
    # Where it goes on is a secret.
    (sealed,) = files.connection.execute("SELECT upload_sealed FROM cloud_file_refs").fetchone()
    assert service.fake.url.encode() not in bytes(sealed)
    service.fake.asked.clear()
    await files.sync_all()
    assert list(service.held().values()) == [content]
    firsts = [
        asked.headers["content-range"] for asked in service.fake.asked if asked.method == "PUT" and asked.body
    ]
    assert firsts[0].startswith(f"bytes {2 * step}-")


async def test_killed_between_the_copy_and_its_commit(files, service):
    content = content_of(2)
    file_id = await files.sent(content)

    def killed(row, outside):
        inner = open_store(row, outside)

        async def put(cargo, progress):
            await inner.put(cargo, progress)
            raise Killed

        return SimpleNamespace(put=put)

    with pytest.raises(Killed):
        await files.sync(killed)
    assert (await files.get(file_id))["sync_status"] == "pending"
    assert len(service.held()) == 1
    # Nobody else takes it up before the lease ends.
    assert await files.sync() == 0
    files.connection.execute("UPDATE cloud_file_refs SET lease_until = now()")
    service.fake.asked.clear()
    await files.sync()
    assert (await files.get(file_id))["sync_status"] == "synced"
    assert list(service.held().values()) == [content]
    assert [asked for asked in service.fake.asked if asked.method in {"PUT", "POST"} and asked.body] == []


async def test_a_session_that_has_ended_begins_anew(files, service):
    parts = 0

    def second(asked: Asked) -> str:
        nonlocal parts
        is_part = asked.method == "PUT" and int(asked.headers.get("content-length", 0)) > 0
        parts += is_part
        return "drop" if is_part and parts == 2 else ""

    service.fake.fault = second
    content = content_of(3)
    await files.sent(content)
    await files.sync()
    service.fake.sessions.clear()
    await files.sync_all()
    assert list(service.held().values()) == [content]


async def test_throttling_says_how_long(files, service):
    service.fake.fault = lambda asked: "throttle" if "files" in asked.path or "drives" in asked.path else ""
    file_id = await files.sent(b"x")
    await files.sync()
    told = await files.get(file_id)
    assert told["sync_status"] == "pending"
    assert "asks to wait" in told["problem"]


async def test_a_file_that_is_gone_or_changed_in_the_store(files, service):
    file_id = await files.sent(content_of(4))
    await files.sync()
    if service.kind == "graph":
        ((path, (key, _)),) = service.fake.items.items()
        service.fake.items[path] = (key, b"other")
    else:
        ((key, (name, _)),) = service.fake.files.items()
        service.fake.files[key] = (name, b"other")
    changed = await files.content(file_id)
    assert changed.status_code == 409
    assert "SHA-256" in changed.json()["detail"]
    if service.kind == "graph":
        service.fake.items.clear()
    else:
        service.fake.files.clear()
    assert "not in its store any more" in (await files.content(file_id)).json()["detail"]


async def test_deleting(files, service):
    file_id = await files.sent(b"x")
    await files.sync()
    reason = {"X-Change-Reason": "wrong"}
    await files.desk.admin.delete(f"/api/v1/cloud-files/{file_id}", headers=reason)
    assert await files.remove() == 1
    assert service.held() == {}


async def test_checking_pages_through_the_folder(files, service):
    for number in range(5):
        await files.sent(b"%d" % number)
    await files.sync()
    service.fake.page_size = 2
    found = (await files.desk.admin.get("/api/v1/cloud-stores?provider__in=sharepoint,google-drive")).json()
    answer = await files.desk.admin.post(f"/api/v1/cloud-stores/{found['results'][0]['id']}/check")
    assert answer.json() == {"works": True, "detail": "Signed in. The folder has 5 entries."}


async def test_another_file_under_the_name_is_not_overwritten(files, graph, library):
    file_id = await files.sent(b"mine")
    path = (await files.get(file_id))["cloud_path"]
    graph.items[path] = ("01OTHER", b"ours")
    await files.sync()
    told = await files.get(file_id)
    assert (told["sync_status"], told["problem"]) == (
        "failed",
        "The library has another file under this name.",
    )
    assert graph.items[path] == ("01OTHER", b"ours")


async def test_office_files_keep_their_content(files, graph, library):
    """SharePoint would write properties into them."""
    file_id = await files.sent(b"x", "plan.docx")
    assert (await files.get(file_id))["cloud_path"] == f"Fleet files/requests/{file_id}-plan.docx.bin"
    assert (await files.get(file_id))["name"] == "plan.docx"


async def test_wrong_credentials_are_told_without_them(files, graph, library):
    graph.secret = "another"
    file_id = await files.sent(b"x")
    await files.sync()
    told = await files.get(file_id)
    assert told["problem"] == "The sign-in was refused (invalid_client)."
    answer = await files.desk.admin.post(f"/api/v1/cloud-stores/{library}/check")
    assert answer.json() == {"works": False, "detail": told["problem"]}


async def test_no_address_inside_the_network_is_called(files, graph, library, settings):
    settings.outgoing.allowed_networks.clear()
    file_id = await files.sent(b"x")
    await files.sync()
    assert "not a public address" in (await files.get(file_id))["problem"]
    assert graph.asked == []


@pytest.mark.parametrize("step", [1, 2, 3])
async def test_what_a_service_gives_is_not_believed(files, graph, library, step):
    """An upload's address without https, a page of another host, an answer that is no JSON."""
    inner = graph.answer

    async def answer(asked):
        answered = await inner(asked)
        if step == 1 and asked.path.endswith("createUploadSession"):
            answered.said = {"uploadUrl": "file:///etc/passwd"}
        if step == 2 and asked.path.endswith("children"):
            answered.said = {"value": [], "@odata.nextLink": "http://127.0.0.1:9/next"}
        if step == 3 and "/root:/" in asked.path:
            answered.status, answered.said, answered.content = 200, None, b"<html>"
        return answered

    graph.answer = answer
    if step == 2:
        checked = await files.desk.admin.post(f"/api/v1/cloud-stores/{library}/check")
        assert checked.json()["works"] is False
        return
    file_id = await files.sent(b"x")
    await files.sync()
    told = await files.get(file_id)
    assert told["sync_status"] != "synced"
    assert told["problem"]


async def test_a_token_is_shared_by_many_files(files, graph, library):
    for number in range(6):
        await files.sent(b"%d" % number)
    await files.sync_all()
    assert len(graph.items) == 6
    assert graph.sign_ins == 1
