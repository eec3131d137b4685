"""The spool: bounds, order, damage."""

import json
import os
import sqlite3
import zlib

import pytest

from fleetkeeper_agent.spool import FRAME, PROCESSES, Loss, Spool

MIB = 1024 * 1024


@pytest.fixture
def path(tmp_path):
    return tmp_path / "spool.db"


def frame(ts: float, size: int = 0) -> tuple[float, bytes]:
    return ts, json.dumps({"ts": ts, "filler": os.urandom(size).hex()}).encode()


def test_newest_first_and_in_order_within_a_batch(path, clock):
    spool = Spool(path, clock.wall)
    start = clock.wall()
    spool.add(FRAME, [frame(start + n) for n in (3, 1, 5, 2, 4)])
    entries = spool.newest(FRAME, 2)
    assert [entry.ts - start for entry in entries] == [4, 5]
    assert json.loads(entries[0].body)["ts"] == start + 4
    spool.remove(FRAME, entries)
    assert [entry.ts - start for entry in spool.newest(FRAME, 10)] == [1, 2, 3]
    assert spool.waiting(FRAME) == 3
    spool.close()


def test_what_waits_survives_a_restart(path, clock):
    spool = Spool(path, clock.wall)
    spool.add(FRAME, [frame(clock.wall())])
    spool.add(PROCESSES, [frame(clock.wall())])
    spool.count_loss(FRAME, "why", [1.0, 3.0])
    spool.close()
    spool = Spool(path, clock.wall)
    spool.count_loss(FRAME, "why", [2.0, 9.0])
    assert (spool.waiting(FRAME), spool.waiting(PROCESSES)) == (1, 1)
    assert spool.losses() == [Loss(FRAME, "why", 4, 1.0, 9.0)]
    spool.close()


def test_bounded_by_bytes_the_oldest_go_first(path, clock):
    spool = Spool(path, clock.wall, max_bytes=MIB)
    start = clock.wall()
    for n in range(600):
        spool.add(FRAME, [frame(start + n, 2000)])
    kept = [entry.ts - start for entry in spool.newest(FRAME, 1000)]
    assert kept == list(range(600 - len(kept), 600))
    losses = spool.losses()
    assert sum(loss.number for loss in losses) + len(kept) == 600
    assert losses[0].reason == "spool full"
    assert losses[0].first_ts == start
    spool.close()
    assert path.stat().st_size <= MIB


def test_bounded_by_age(path, clock):
    spool = Spool(path, clock.wall, max_age_seconds=100.0)
    spool.add(FRAME, [frame(clock.wall())])
    clock.advance(101)
    spool.add(FRAME, [frame(clock.wall())])
    assert len(spool.newest(FRAME, 10)) == 1
    assert [(loss.reason, loss.number) for loss in spool.losses()] == [("too old", 1)]
    spool.close()


def test_a_clock_that_jumps_takes_nothing_away(path, clock):
    spool = Spool(path, clock.wall)
    start = clock.wall()
    spool.add(FRAME, [frame(start + n) for n in range(1000)])
    clock.wall_now += 20 * 86400
    spool.add(FRAME, [frame(clock.wall())])
    (ahead,) = spool.newest(FRAME, 1)
    spool.remove(FRAME, [ahead], "the server refused it")
    clock.wall_now = start
    spool.add(FRAME, [frame(start + 1000)])
    assert len(spool.newest(FRAME, 2000)) == spool.waiting(FRAME) == 1001
    assert [(loss.reason, loss.number) for loss in spool.losses()] == [("the server refused it", 1)]
    spool.close()


@pytest.mark.parametrize("number", [1, 5, 12, 13])
@pytest.mark.parametrize("days", [7, 7.0001, 8, 20, 4000, -20])
@pytest.mark.parametrize("restarts", [False, True])
def test_few_entries_survive_a_jump_as_well_as_many(path, clock, number, days, restarts):
    spool = Spool(path, clock.wall)
    start = clock.wall()
    spool.add(FRAME, [frame(start - n) for n in range(number)])
    clock.wall_now += days * 86_400
    if restarts:
        spool.close()
        spool = Spool(path, clock.wall)
    for _ in range(3):
        spool.add(FRAME, [frame(clock.wall())])
        clock.advance(5)
        spool.newest(FRAME, 1)
    clock.wall_now -= days * 86_400
    for _ in range(3):
        clock.advance(5)
        spool.add(FRAME, [frame(clock.wall())])
    assert len(spool.newest(FRAME, 100)) == number + 6
    assert spool.losses() == []
    spool.close()


def test_a_full_spool_keeps_what_is_new_though_older_frames_claim_to_be_newer(path, clock):
    spool = Spool(path, clock.wall, max_bytes=MIB)
    start = clock.wall()
    spool.add(FRAME, [frame(start + 20 * 86_400 + n, 2000) for n in range(100)])
    for n in range(600):
        spool.add(FRAME, [frame(start + n, 2000)])
    kept = [entry.ts - start for entry in spool.newest(FRAME, 1000)]
    assert kept == list(range(600 - len(kept), 600))
    spool.close()


def test_the_file_shrinks_when_the_backlog_is_gone(path, clock):
    spool = Spool(path, clock.wall)
    spool.add(FRAME, [frame(clock.wall() + n, 2000) for n in range(500)])
    spool.remove(FRAME, spool.newest(FRAME, 500))
    spool.close()
    assert path.stat().st_size < MIB / 4


@pytest.mark.parametrize("damage", [b"this is no database at all", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_moved_aside_and_counted(path, clock, damage):
    path.write_bytes(damage)
    spool = Spool(path, clock.wall)
    assert path.with_name("spool.db.damaged").read_bytes() == damage
    assert [(loss.kind, loss.reason, loss.number) for loss in spool.losses()] == [
        (FRAME, "spool file damaged", 1)
    ]
    spool.add(FRAME, [frame(clock.wall())])
    assert spool.waiting(FRAME) == 1
    spool.close()


def test_a_file_that_gets_damaged_while_in_use(path, clock):
    spool = Spool(path, clock.wall)
    spool.add(FRAME, [frame(clock.wall() + n, 2000) for n in range(300)])
    spool._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    spool._database.execute("PRAGMA cache_size = 0")
    data = bytearray(path.read_bytes())
    data[4096:-1] = b"\xff" * (len(data) - 4097)
    path.write_bytes(data)
    spool._database.execute("PRAGMA shrink_memory")
    spool.add(FRAME, [frame(clock.wall())])
    assert spool.waiting(FRAME) == 1
    assert [(loss.reason, loss.number) for loss in spool.losses()] == [("spool file damaged", 300)]
    spool.close()


def test_a_damaged_entry_is_counted_and_the_others_stay(path, clock):
    spool = Spool(path, clock.wall)
    spool.add(FRAME, [frame(clock.wall()), frame(clock.wall() + 1)])
    spool._database.execute("UPDATE entries SET body = ? WHERE id = 1", (zlib.compress(b"x")[:4],))
    spool._database.commit()
    assert len(spool.newest(FRAME, 10)) == 1
    assert (spool.waiting(FRAME), spool.losses()[0].number) == (1, 1)
    spool.close()


def test_a_directory_that_cannot_be_written_leaves_memory(tmp_path, clock):
    spool = Spool(tmp_path / "missing/spool.db", clock.wall)
    spool.add(FRAME, [frame(clock.wall())])
    assert len(spool.newest(FRAME, 10)) == 1
    spool.close()


def test_a_full_disk_costs_frames_and_they_are_counted(path, clock):
    spool = Spool(path, clock.wall)
    pages = spool._database.execute("PRAGMA page_count").fetchone()[0]
    spool._database.execute(f"PRAGMA max_page_count = {pages + 5}")
    for n in range(20):
        spool.add(FRAME, [frame(clock.wall() + n, 3000)])
    lost = sum(loss.number for loss in spool.losses() if loss.reason == "disk not writable")
    assert lost > 0
    assert spool.waiting(FRAME) + lost == 20
    assert len(spool.newest(FRAME, 100)) == spool.waiting(FRAME)
    spool.close()


def test_reasons_do_not_grow_without_end(path, clock):
    spool = Spool(path, clock.wall)
    for n in range(200):
        spool.count_loss(FRAME, f"the server refused it: field {n}", [1.0])
    losses = spool.losses()
    assert len(losses) <= 51
    assert sum(loss.number for loss in losses) == 200
    spool.close()


def test_a_closed_spool_raises_nothing(path, clock):
    spool = Spool(path, clock.wall)
    spool.close()
    spool.add(FRAME, [frame(clock.wall())])
    assert spool.newest(FRAME, 1) == []
    with pytest.raises(sqlite3.ProgrammingError):
        spool._database.execute("SELECT 1")
