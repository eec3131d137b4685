"""Old months in files: nothing is lost or doubled whenever it is cut off, and a check trusts no file blindly."""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from fleetkeeper.audit import archive, jobs, queries
from fleetkeeper.audit.archive import month_before
from fleetkeeper.audit.archive_files import SCHEMA, ArchiveWriter, file_name, read_rows
from fleetkeeper.audit.seals import COLUMNS
from fleetkeeper.database.engine import Database
from fleetkeeper.errors import ConflictError
from fleetkeeper.settings import Settings
from tests.factories.audit import Log
from tests.fixtures.began import began

# How many months ago.
OLD, OLDER, EXPIRED = 5, 6, 90
_forkserver = multiprocessing.get_context("forkserver")
_ROWS = (
    'SELECT id, (extract(epoch FROM "timestamp") * 1000000)::bigint, transaction_id, '
    + ", ".join(f"{name}::text" for name in COLUMNS[3:])
    + ' FROM audit_log WHERE "timestamp" >= %s AND "timestamp" < %s ORDER BY transaction_id, id'
)


def rows_of(log: Log, month: date) -> list[tuple]:
    """A month as it stands in the table."""
    return log.run(_ROWS, f"{month}T00:00Z", f"{month_before(month, -1)}T00:00Z")


def months_ago(number: int) -> date:
    """The first day of that month."""
    return month_before(datetime.fromtimestamp(began(), UTC).date().replace(day=1), number)


def archived(log: Log, month: date) -> list[tuple]:
    """A month as it stands in its file."""
    return [row for rows in read_rows(path_of(log, month)) for row in rows]


def path_of(log: Log, month: date) -> Path:
    return log.settings.home / "audit" / file_name(month)


def kinds(found: Any) -> list[str]:
    return [one.kind for one in found.findings]


@pytest.fixture
async def old(log: Log) -> Log:
    """Two old months and this one, sealed."""
    log.reset()
    log.run("SELECT create_audit_partition(%s)", months_ago(OLD))
    for number, count in ((OLDER, 40), (OLD, 30), (OLDER, 5), (OLD, 20), (0, 10)):
        log.add_to(months_ago(number), count)
        await log.seal()
    return log


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _archive_until(url: str, home: Path, owner: str, name: str, when: str) -> None:
    """Archive in a process of its own, and be killed before or after a call of something."""
    holder: Any = {"writer": ArchiveWriter, "queries": queries, "archive": archive, "path": Path}[owner]
    real = getattr(holder, name)

    def killed(*values: Any, **named: Any) -> Any:
        if when == "before":
            _die()
        outcome = real(*values, **named)
        _die()
        return outcome

    async def killed_later(*values: Any, **named: Any) -> Any:
        if when == "before":
            _die()
        outcome = await real(*values, **named)
        _die()
        return outcome

    setattr(holder, name, killed_later if asyncio.iscoroutinefunction(real) else killed)
    archive_now(url, home)


def archive_now(url: str, home: Path) -> None:
    async def work() -> None:
        database = Database(url, pool_size=2)
        await jobs.archive_old_months(database, Settings(home=home))
        await database.close()

    asyncio.run(work())


def in_a_process(target: Callable[[], None]) -> int | None:
    process = _forkserver.Process(target=target)
    process.start()
    process.join(60)
    return process.exitcode


class TestArchiving:
    async def test_old_months_become_files(self, old):
        before = {month: rows_of(old, month) for month in (months_ago(OLDER), months_ago(OLD), months_ago(0))}
        assert await old.archive() == [file_name(months_ago(OLDER)), file_name(months_ago(OLD))]
        for month in (months_ago(OLDER), months_ago(OLD)):
            assert archived(old, month) == before[month]
            assert rows_of(old, month) == []
            assert path_of(old, month).stat().st_mode & 0o777 == 0o600
        assert rows_of(old, months_ago(0))[: len(before[months_ago(0)])] == before[months_ago(0)]
        assert old.run("SELECT to_regclass(%s) IS NULL", f"audit_log_{months_ago(OLD):%Y_%m}") == [(True,)]
        report = await old.verify()
        assert report.findings == []
        assert (report.entries, report.archived_entries) == (10, 95)

    async def test_the_log_tells_of_it(self, old):
        await old.archive()
        told = old.run(
            "SELECT actor_kind, actor_name, record_name FROM audit_log WHERE action = 'audit_archives.insert'"
        )
        assert told == [
            ("job", "audit.archive", file_name(months_ago(OLDER))),
            ("job", "audit.archive", file_name(months_ago(OLD))),
        ]

    async def test_again_does_nothing(self, old):
        await old.archive()
        before = path_of(old, months_ago(OLD)).read_bytes()
        assert await old.archive() == []
        assert path_of(old, months_ago(OLD)).read_bytes() == before

    async def test_values_of_every_kind_come_back(self, log):
        log.reset()
        (number,) = log.add_to(months_ago(OLD), 1)
        log.run(
            "UPDATE audit_log SET old_values = '{\"a\": null}', new_values = '{\"ü\": [1, 2.50]}', user_agent = '', "
            "ip_address = '2001:db8::1', device_id = gen_random_uuid(), change_reason = E'a\\nb' WHERE id = %s",
            number,
        )
        before = rows_of(log, months_ago(OLD))
        await log.seal()
        await log.archive()
        assert archived(log, months_ago(OLD)) == before
        assert (await log.verify()).is_sound

    async def test_young_months_stay(self, log):
        log.reset()
        month = months_ago(3)
        log.add_to(month, 3)
        await log.seal()
        assert await log.archive() == []
        log.run('UPDATE audit_log SET "timestamp" = "timestamp" - interval \'1 day\'')
        assert await log.archive() == []  # due now, but not as it was sealed

    async def test_unsealed_entries_stay(self, log):
        log.reset()
        log.add_to(months_ago(OLD), 3)
        await log.seal()
        log.add_to(months_ago(OLD), 1)
        assert await log.archive() == []
        assert len(rows_of(log, months_ago(OLD))) == 4
        await log.seal()
        assert await log.archive() == [file_name(months_ago(OLD))]

    async def test_a_month_that_was_tampered_with_stays(self, old):
        number = rows_of(old, months_ago(OLDER))[3][0]
        old.run("UPDATE audit_log SET actor_name = 'nobody' WHERE id = %s", number)
        assert await old.archive() == [file_name(months_ago(OLD))]
        assert len(rows_of(old, months_ago(OLDER))) == 45
        assert not path_of(old, months_ago(OLDER)).exists()
        assert (await old.verify()).findings[0].entry == number

    async def test_a_clock_that_stood_wrong_overwrites_no_file(self, old):
        await old.archive()
        before = path_of(old, months_ago(OLD)).read_bytes()
        late = old.add_to(months_ago(OLD), 2)
        await old.seal()
        assert await old.archive() == []
        async with old.keeper.session() as session:
            with pytest.raises(ConflictError, match="already"):
                await archive.archive_month(
                    session, b"k" * 32, old.settings.home, months_ago(OLD), datetime.now(UTC)
                )
        assert path_of(old, months_ago(OLD)).read_bytes() == before
        assert [row[0] for row in rows_of(old, months_ago(OLD))] == late
        assert (await old.verify()).findings == []

    async def test_a_time_that_no_clock_shows_stops_nothing(self, old):
        old.run("UPDATE audit_log SET \"timestamp\" = '-infinity' WHERE id = (SELECT max(id) FROM audit_log)")
        assert len(await old.archive()) == 2

    async def test_the_database_drops_no_month_that_is_too_young(self, log):
        log.run(
            "INSERT INTO audit_archives (id, month, file_name, entries, first_id, last_id, size_bytes, sha256, "
            "archived_at, signature) VALUES (gen_random_uuid(), %s, 'x', 0, 0, 0, 0, '', now(), '')",
            months_ago(0),
        )
        with pytest.raises(Exception, match="too young"):
            log.run("SELECT drop_archived_audit_month(%s)", months_ago(0))


class TestCutOff:
    @pytest.mark.parametrize(
        ("owner", "name", "when"),
        [
            ("writer", "write", "before"),
            ("writer", "write", "after"),
            ("writer", "close", "after"),
            ("writer", "publish", "before"),
            ("writer", "publish", "after"),
            ("queries", "drop_month", "before"),
            ("queries", "drop_month", "after"),
            ("archive", "archive_month", "after"),
            ("archive", "expire_archives", "before"),
            ("archive", "expire_archives", "after"),
            ("archive", "remove_expired_files", "before"),
            ("path", "unlink", "before"),
            ("path", "unlink", "after"),
        ],
    )
    async def test_killed_and_done_again(self, old, keeper_url, owner, name, when):
        old.add_to(months_ago(EXPIRED), 7)
        await old.seal()
        before = {month: rows_of(old, month) for month in (months_ago(OLDER), months_ago(OLD))}
        target = partial(_archive_until, keeper_url, old.settings.home, owner, name, when)
        code = await asyncio.to_thread(in_a_process, target)
        assert code == -signal.SIGKILL
        cut = await old.verify()
        assert cut.findings == []
        assert cut.entries + cut.archived_entries + cut.expired_entries == 112
        await old.archive()
        assert {month: archived(old, month) for month in before} == before
        assert not [row for month in before for row in rows_of(old, month)]
        assert {path.name for path in (old.settings.home / "audit").iterdir()} == {
            file_name(months_ago(OLDER)),
            file_name(months_ago(OLD)),
        }
        report = await old.verify()
        assert report.findings == []
        assert (report.archived_entries, report.expired_entries) == (95, 7)

    async def test_two_at_once(self, old):
        before = rows_of(old, months_ago(OLD))
        await asyncio.gather(old.archive(), old.archive())
        assert archived(old, months_ago(OLD)) == before
        assert (await old.verify()).findings == []

    async def test_a_check_that_an_archive_overtakes(self, old, keeper_url, monkeypatch):
        """Entries move into their file between two steps of the check."""
        monkeypatch.setattr(queries, "SEALS_AT_ONCE", 1)
        steps: list[int] = []

        def progress(entries: int) -> None:
            steps.append(entries)
            if len(steps) == 1:
                assert in_a_process(partial(archive_now, keeper_url, old.settings.home)) == 0

        report = await jobs.verify(old.database, old.settings, progress=progress)
        assert report.findings == []
        assert report.archived_entries == 95


class TestRetention:
    async def test_files_go_and_a_check_knows_why(self, log):
        log.reset()
        log.add_to(months_ago(EXPIRED), 12)
        log.add_to(months_ago(84), 3)
        await log.seal()
        await log.archive()
        assert not path_of(log, months_ago(EXPIRED)).exists()
        assert path_of(log, months_ago(84)).exists()
        report = await log.verify()
        assert report.findings == []
        assert (report.expired_entries, report.archived_entries) == (12, 3)

    async def test_a_file_does_not_go_by_the_record_of_somebody_else(self, old):
        await old.archive()
        old.run("UPDATE audit_archives SET removed_at = now() WHERE month = %s", months_ago(OLD))
        report = await old.verify()
        assert kinds(report) == ["archive_changed"]
        assert f"{months_ago(OLD):%Y-%m}" in report.findings[0].message


class TestTampering:
    @pytest.fixture
    async def old(self, old: Log) -> Log:
        await old.archive()
        self.numbers = [row[0] for row in archived(old, months_ago(OLD))]
        return old

    def rewrite(self, log: Log, change: Callable[[pa.Table], pa.Table]) -> None:
        path = path_of(log, months_ago(OLD))
        table = change(pq.read_table(path))
        pq.write_table(table, path)

    async def test_a_changed_row(self, old):
        number = self.numbers[17]

        def change(table: pa.Table) -> pa.Table:
            names = pc.if_else(pc.equal(table["id"], number), "somebody else", table["actor_name"])
            return table.set_column(5, SCHEMA.field("actor_name"), names)

        self.rewrite(old, change)
        report = await old.verify()
        assert kinds(report) == ["archive_changed", "entry_changed"]
        assert file_name(months_ago(OLD)) in report.findings[0].message
        assert report.findings[1].entry == number

    async def test_a_removed_row(self, old):
        number = self.numbers[30]
        self.rewrite(old, lambda table: table.filter(pc.not_equal(table["id"], number)))
        report = await old.verify()
        assert kinds(report) == ["archive_changed", "entry_removed"]
        assert report.findings[1].entry == number

    async def test_a_row_twice(self, old):
        self.rewrite(old, lambda table: pa.concat_tables([table.slice(0, 3), table.slice(2)]))
        report = await old.verify()
        assert kinds(report) == ["archive_changed", "entry_added"]
        assert report.findings[1].entry == self.numbers[2]

    async def test_rows_in_another_order_are_not_taken(self, old):
        self.rewrite(old, lambda table: table.sort_by([("id", "descending")]))
        report = await old.verify()
        assert report.findings[0].kind == "archive_changed"

    async def test_a_missing_file_is_named_first_and_alone(self, old):
        path_of(old, months_ago(OLD)).unlink()
        report = await old.verify()
        assert kinds(report) == ["archive_missing"]
        assert file_name(months_ago(OLD)) in report.findings[0].message

    async def test_a_missing_file_does_not_hide_what_else_is_missing(self, old):
        path_of(old, months_ago(OLD)).unlink()
        number = old.run("SELECT min(id) FROM audit_log")[0][0]
        old.run("DELETE FROM audit_log WHERE id = %s", number)
        report = await old.verify()
        assert kinds(report) == ["archive_missing", "entry_removed"]
        assert report.findings[1].entry == number

    @pytest.mark.parametrize("how", ["cut", "empty", "text", "columns", "nulls", "folder"])
    async def test_a_damaged_file(self, old, how):
        path = path_of(old, months_ago(OLD))
        if how == "cut":
            path.write_bytes(path.read_bytes()[:-100])
        elif how == "empty":
            path.write_bytes(b"")
        elif how == "text":
            path.write_text("id,timestamp\n")
        elif how == "columns":
            self.rewrite(old, lambda table: table.drop_columns(["actor_name"]))
        elif how == "nulls":
            self.rewrite(
                old, lambda table: table.set_column(0, "id", pa.array([None] * len(table), pa.int64()))
            )
        else:
            path.unlink()
            path.mkdir()
        report = await old.verify()
        assert set(kinds(report)) == {"archive_changed"}
        assert all(f"{months_ago(OLD):%Y-%m}" in one.message for one in report.findings)

    async def test_a_removed_record(self, old):
        old.run("DELETE FROM audit_archives WHERE month = %s", months_ago(OLD))
        path_of(old, months_ago(OLD)).unlink()
        report = await old.verify()
        assert kinds(report) == ["entry_removed"] * 50
        assert [one.entry for one in report.findings] == self.numbers

    @pytest.mark.parametrize("change", ["entries = 1", "sha256 = ''", "file_name = '../../x.parquet'"])
    async def test_a_changed_record(self, old, change):
        old.run(f"UPDATE audit_archives SET {change} WHERE month = %s", months_ago(OLD))
        report = await old.verify()
        assert report.findings[0].kind == "archive_changed"
        assert f"{months_ago(OLD):%Y-%m}" in report.findings[0].message
