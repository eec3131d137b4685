"""The same on an S3-like store, which is moto's server on loopback."""

import urllib.request

import pytest
from moto.server import ThreadedMotoServer

from fleetkeeper.settings.archive import ArchiveSettings
from fleetkeeper.telemetry.archive.reading import Unreadable
from fleetkeeper.telemetry.archive.store import S3Store, StoreError, digest_of
from tests.factories.archive import ArchivedStore
from tests.telemetry.archive.test_archiving import STEPS, kill_at, queries
from tests.telemetry.chunks.test_sealing import MINUTE, START, ramp

SECRET = "a secret that nobody may read"


@pytest.fixture(scope="module")
def endpoint():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    urllib.request.urlopen(urllib.request.Request(f"{url}/telemetry-archive", method="PUT")).close()
    yield url
    server.stop()


@pytest.fixture
def archive(endpoint) -> dict[str, object]:
    return {
        "url": "s3://telemetry-archive/fleet",
        "endpoint": endpoint,
        "access_key_id": "somebody",
        "secret_access_key": SECRET,
        "timeout_seconds": 5,
    }


@pytest.fixture
def store(connection, app_url, tmp_path, archive) -> ArchivedStore:
    return ArchivedStore(connection, app_url, tmp_path, **archive)


async def test_samples_move_to_the_store_and_back(store):
    store.add(store.layout("a", "b"), ramp(300))
    await store.settle()
    before = await store.read_all()
    done = await store.archive()
    assert store.count("chunks") == 0
    assert store.files() == []
    assert await store.read_all() == before
    found = await store.read_archive("b", start_us=START + 10 * MINUTE, end_us=START + 11 * MINUTE)
    assert found == {"b": {START + 10 * MINUTE: 21.0}}
    [(path, _, _, size, sha256)] = store.live()
    assert digest_of(S3Store(store.settings.archive), path) == (sha256, size)
    assert size == done.size_bytes


async def test_rewriting_replaces_the_object(store):
    store.add(store.layout("a", "b"), ramp(30))
    await store.settle()
    await store.archive()
    [old] = [row[0] for row in store.live()]
    [b] = store.channels("b")
    await store.rewrite(lambda segment: None if segment.channel_id == b else segment)
    await store.clean()
    assert set(await store.read_all()) == {"a"}
    with pytest.raises(FileNotFoundError):
        digest_of(S3Store(store.settings.archive), old)


@pytest.mark.parametrize("step", STEPS)
async def test_killed_at_each_step(store, monkeypatch, step):
    store.add(store.layout("a", "b"), ramp(30))
    await store.settle()
    before = await store.read_all()
    with monkeypatch.context() as patched:
        kill_at(patched, queries, step, store)
        with pytest.raises(Exception, match=r"terminat|connection"):
            await store.archive()
    assert await store.read_all() == before
    assert store.live() == []
    [path] = [row[0] for row in store.connection.execute("SELECT path FROM archive_files").fetchall()]
    assert await store.clean() == (1, [])
    with pytest.raises(FileNotFoundError):
        digest_of(S3Store(store.settings.archive), path)
    assert (await store.archive()).samples == 60
    assert await store.read_all() == before


async def test_a_store_that_is_away(connection, app_url, tmp_path, archive):
    away = ArchivedStore(connection, app_url, tmp_path, **archive | {"endpoint": "http://127.0.0.1:9"})
    away.add(away.layout("a"), ramp(30, width=1))
    await away.settle()
    with pytest.raises(StoreError) as caught:
        await away.archive()
    assert SECRET not in str(caught.value)
    assert len((await away.read())["a"]) == 30


async def test_files_of_a_store_that_the_settings_no_longer_name(store):
    store.add(store.layout("a"), ramp(30, width=1))
    await store.settle()
    await store.archive()
    store.settings.archive = ArchiveSettings()
    problems: list[Unreadable] = []
    assert await store.read_archive(unreadable=problems) == {}
    assert "FLEETKEEPER_ARCHIVE__URL" in problems[0].reason


def test_the_secret_is_never_printed(archive):
    settings = ArchiveSettings.model_validate(archive)
    assert SECRET not in f"{settings!r}{settings.model_dump_json()}"


@pytest.mark.parametrize(
    "url", ["http://bucket", "s3://", "s3://bucket/../other", "s3://UPPER", "s3://b/a b"]
)
def test_a_wrong_url_is_refused(url):
    with pytest.raises(ValueError, match="url"):
        ArchiveSettings(url=url)
