"""PostgreSQL goes away and comes back while devices report and telemetry is sealed, summed up, merged and archived."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from uuid import UUID

import psycopg
import pytest

from fleetkeeper.database.logins import application_url
from fleetkeeper.settings import Settings
from fleetkeeper.telemetry.chunks.blocks import DAY
from fleetkeeper.telemetry.rollups.periods import HOUR, Tier
from tests.factories.archive import ArchivedStore
from tests.faults.keeping import Keeper, keep, keeping
from tests.faults.sending import FRAMES_PER_REQUEST, Sender
from tests.faults.test_ingest_survives import kill, kill_postmaster, postmaster, sending, wait_for_frames
from tests.fixtures.product import Product, wait_for
from tests.telemetry.rollups.test_refresh import agree, plain, told

MEASURE = "cpu_usage_percent"


def restart_postmaster(product: Product) -> None:
    """As `pg_ctl restart -m fast` does; the supervisor starts it again."""
    os.kill(postmaster(product), signal.SIGINT)


def kill_a_backend_at_work(product: Product) -> None:
    """One that seals, sums up, merges or archives; PostgreSQL then ends all others too, and recovers."""
    query = "SELECT pid FROM pg_stat_activity WHERE application_name = 'fleetkeeper sealer' AND state <> 'idle' LIMIT 1"
    with psycopg.connect(product.database_url, autocommit=True) as connection:
        (pid,) = wait_for("a job at work", lambda: connection.execute(query).fetchone())
    kill(pid)


class Installed(ArchivedStore):
    """The telemetry of one device of an installation that runs."""

    def __init__(self, product: Product, connection: psycopg.Connection, device: UUID) -> None:
        self.settings = Settings(home=product.home)
        self.connection, self.app_url, self.device = connection, application_url(self.settings), device

    def stored_samples(self) -> int:
        """In all tiers together: more than there are when one lies in two."""
        row = self.connection.execute(
            """
            SELECT (SELECT count(v) FROM frames, unnest("values") AS v WHERE device_id = %(device)s)
                 + (SELECT coalesce(sum(samples), 0) FROM chunks WHERE channel_id > 0 AND device_id = %(device)s)
                 + (SELECT coalesce(sum(p.rows), 0) FROM archive_parts p
                    JOIN archive_files f ON f.id = p.file_id AND f.state = 'live' WHERE device_id = %(device)s)
            """,
            {"device": self.device},
        ).fetchone()
        return int(row[0])


async def assert_whole(product: Product, senders: Sequence[Sender]) -> None:
    """The invariants, after a last round of all jobs."""
    with psycopg.connect(product.database_url, autocommit=True) as connection:
        connection.execute("SET timezone = 'UTC'")
        for sender in senders:
            assert not sender.unexpected
            store = Installed(product, connection, UUID(sender.device_id))
            found = (await store.read_all())[MEASURE]
            wanted = {at: value for (_, at), value in sender.acknowledged.items()}
            assert wanted.items() <= found.items()
            # One request may have been stored without its answer arriving.
            assert len(found) <= len(wanted) + FRAMES_PER_REQUEST
            assert store.stored_samples() == len(found) * len(sender.channels)
            for tier, length in ((Tier.HOUR, HOUR), (Tier.DAY, DAY)):
                rolled = {key: row for key, row in (await told(store, tier)).items() if key[0] == MEASURE}
                agree(rolled, plain({MEASURE: found}, lambda at, length=length: at // length * length))
        for table in ("frames", "chunks", "rollup_changes"):
            assert store.count(table) == 0, table
        states = dict(connection.execute("SELECT path, state FROM archive_files").fetchall())
        assert set(states.values()) <= {"live", "gone"}
        folder = store.folder
        assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == set(states)
        held = (
            "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE locktype = 'advisory' "
        )
        row = connection.execute(held + "AND application_name = 'fleetkeeper sealer'").fetchone()
        assert row == (0,)


def wait_for_rounds(keeper: Keeper) -> None:
    """Until all jobs came to their end once more, with something to do."""
    keeper.listen()
    before = keeper.rounds
    wait_for("round of all jobs", lambda: keeper.listen() > before + 1, 50)


FAULTS = [restart_postmaster, kill_postmaster, kill_a_backend_at_work]


@pytest.fixture
def archiving(product: Product) -> Iterator[Product]:
    """The installation, with a policy by which what is a day old goes into files."""
    wait_for("readiness", product.is_ready, 60)
    columns = "archive_enabled, archive_after_days"
    with psycopg.connect(product.database_url, autocommit=True) as connection:
        before = connection.execute(f"SELECT {columns} FROM archive_policy").fetchall()
        connection.execute("UPDATE archive_policy SET archive_enabled = false, archive_after_days = 1")
    yield product
    with psycopg.connect(product.database_url, autocommit=True) as connection:
        connection.execute(f"UPDATE archive_policy SET ({columns}) = ROW (%s, %s)", before[0])


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_nothing_is_lost_or_doubled(archiving: Product, fault: Callable[[Product], None]) -> None:
    settings = Settings(home=archiving.home)
    url = application_url(settings)
    with sending(archiving) as senders, keeping(url, archiving.home) as keeper:
        wait_for_frames(senders)
        wait_for_rounds(keeper)
        fault(archiving)
        wait_for_frames(senders)
        wait_for_rounds(keeper)
        wait_for("readiness", archiving.is_ready)
    assert keeper.frames > 0
    await keep(url, settings)
    await assert_whole(archiving, senders)
