"""Small files of a day become one, and each sample stays readable exactly once."""

import pytest

from fleetkeeper.telemetry.archive import queries, uniting
from fleetkeeper.telemetry.archive.service import Conflict
from fleetkeeper.telemetry.chunks.jobs import sealing_connection
from tests.factories.telemetry import make_device
from tests.telemetry.archive.test_runs import Keeper
from tests.telemetry.chunks.test_sealing import START, ramp


@pytest.fixture
def store(connection, app_url, tmp_path) -> Keeper:
    connection.execute("DELETE FROM archive_policy")
    one = Keeper(connection, app_url, tmp_path)
    one.policy()
    return one


async def come_late(store: Keeper, times: int, *names: str) -> None:
    """Each time some samples between those that are there make a file of their own."""
    layout = store.layout(*(names or ("a", "b")))
    for number in range(times):
        store.add(layout, ramp(20, START + number * 7000, width=len(names) or 2))
        await store.settle()
        await store.archive()


async def unite(store: Keeper) -> None:
    async with sealing_connection(store.app_url) as connection:
        files = await queries.live_files(connection)
        await uniting.unite_files(connection, store.settings, files)


async def test_late_files_become_one(store):
    await come_late(store, 4)
    before = await store.read_archive()
    assert len(before["a"]) == 80
    done = await store.apply(10)
    assert (done["errors"], done["united_files"]) == ([], 4)
    [(path, rows, devices, size, _)] = store.live()
    assert (rows, devices, done["written_bytes"]) == (160, 1, size)
    assert await store.read_archive() == before
    await store.clean()
    assert [str(one.relative_to(store.folder)) for one in store.files()] == [path]
    assert (await store.apply(10))["united_files"] == 0


async def test_few_files_are_left_alone(store):
    await come_late(store, 3)
    assert (await store.apply(10))["united_files"] == 0
    assert len(store.live()) == 3


async def test_a_large_file_stays_as_it_is(store):
    store.settings.archive.rows_per_file = 1000
    store.add(store.layout("a", "b"), ramp(150, START + 1))
    await store.settle()
    await store.archive()
    [large] = store.live()
    await come_late(store, 4)
    before = await store.read_archive()
    assert (await store.apply(10))["united_files"] == 4
    assert large in store.live()
    assert len(store.live()) == 2
    assert await store.read_archive() == before


async def test_devices_and_channels_stay_apart(store, monkeypatch):
    monkeypatch.setattr(uniting, "MAX_SAMPLES", 50)
    own = {}
    for number in range(4):
        store.device = make_device(store.connection)
        await come_late(store, 1 + number % 2, *"abc"[: 1 + number % 3])
        own[store.device] = await store.read_archive()
    assert (await store.apply(10))["united_files"] == 6
    assert [row[2] for row in store.live()] == [4]
    for device, before in own.items():
        assert await store.read_archive(device=device) == before


async def test_a_file_holds_no_more_devices_than_it_may(store):
    store.settings.archive.devices_per_file = 1
    for _ in range(2):
        store.device = make_device(store.connection)
        await come_late(store, 4)
    assert (await store.apply(10))["united_files"] == 8
    assert [row[2] for row in store.live()] == [1, 1]


async def test_a_damaged_file_holds_up_no_others_after_its_check(store):
    await come_late(store, 5)
    damaged, *_ = store.files()
    damaged.write_bytes(damaged.read_bytes()[:100])
    done = await store.apply(10)
    assert done["united_files"] == 0
    assert "damaged" in done["errors"][0]
    assert len(store.live()) == 5
    store.connection.execute(
        "UPDATE archive_files SET problem = 'it is short' WHERE path = %s",
        (str(damaged.relative_to(store.folder)),),
    )
    assert (await store.apply(10))["united_files"] == 4


async def test_of_two_samples_of_a_moment_the_older_files_stays(store):
    await come_late(store, 1)
    before = await store.read_archive()
    [(older,)] = store.connection.execute("SELECT id FROM archive_files").fetchall()
    # As if the newer file did not know of the older one.
    store.connection.execute("UPDATE archive_parts SET device_id = uuidv7() WHERE file_id = %s", (older,))
    store.add(store.layout("a", "b"), {at: [-1.0, -1.0] for at in list(before["a"])[:5]})
    await store.settle()
    await store.archive()
    store.connection.execute(
        "UPDATE archive_parts SET device_id = %s WHERE file_id = %s", (store.device, older)
    )
    await unite(store)
    assert await store.read_archive() == before


async def test_who_was_faster_wins(store, monkeypatch):
    await come_late(store, 4)
    before = await store.read_archive()
    register = queries.register_file

    async def meanwhile(connection, *given):
        await register(connection, *given)
        await connection.execute(
            "UPDATE archive_files SET state = 'gone' WHERE id = (SELECT min(id::text)::uuid "
            "FROM archive_files WHERE state = 'live')"
        )

    monkeypatch.setattr(queries, "register_file", meanwhile)
    with pytest.raises(Conflict):
        await unite(store)
    assert len(store.live()) == 4
    assert await store.read_archive() == before
