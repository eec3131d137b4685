"""Telemetry that is old enough for the archive, and reading all of it back."""

from functools import partial
from pathlib import Path
from uuid import UUID

from fleetkeeper.database.engine import Database
from fleetkeeper.settings import Settings
from fleetkeeper.telemetry.archive import queries, service
from fleetkeeper.telemetry.archive.reading import Unreadable, read_archived
from fleetkeeper.telemetry.chunks import jobs
from fleetkeeper.telemetry.rollups import jobs as rollups
from fleetkeeper.telemetry.rollups.periods import Tier
from tests.telemetry.chunks.test_sealing import START, Samples, Store
from tests.telemetry.rollups.test_refresh import told

DAY_NUMBER = START // 86_400_000_000


class ArchivedStore(Store):
    """A store that archives too, into a folder of the test."""

    def __init__(self, connection, app_url: str, home: Path, **archive: object) -> None:
        super().__init__(connection, app_url)
        self.settings = Settings(home=home, archive=archive)

    def database(self) -> Database:
        return Database(self.app_url, pool_size=1, settings=self.settings)

    @property
    def folder(self) -> Path:
        return self.settings.home / "archive"

    def channels(self, *names: str) -> list[int]:
        rows = self.connection.execute(
            "SELECT id FROM channels WHERE %s OR key = ANY(%s) ORDER BY id", (not names, list(names))
        ).fetchall()
        return [row[0] for row in rows]

    async def settle(self) -> None:
        """Seal everything and roll it up."""
        await self.seal()
        await rollups.refresh_rollups(self.app_url, self.settings)

    async def archive(
        self, *names: str, day: int = DAY_NUMBER, devices: list[UUID] | None = None
    ) -> service.Archived:
        async with jobs.sealing_connection(self.app_url) as connection:
            wanted = dict.fromkeys(devices or [self.device], self.channels(*names))
            return await service.archive_day(connection, self.settings, day, wanted)

    async def rewrite(self, keep) -> service.Archived:
        async with jobs.sealing_connection(self.app_url) as connection:
            [file] = await queries.live_files(connection)
            return await service.rewrite_file(connection, self.settings, file, keep)

    async def hour_sums(self) -> dict[str, dict[int, tuple[int, float]]]:
        """Count and sum of each hour that the rollups hold."""
        found: dict[str, dict[int, tuple[int, float]]] = {}
        for (key, start), (count, total, *_) in (await told(self, Tier.HOUR)).items():
            found.setdefault(key, {})[start] = (count, total)
        return found

    async def clean(self) -> tuple[int, list[str]]:
        async with jobs.sealing_connection(self.app_url) as connection:
            return await service.remove_leftovers(connection, self.settings, grace_seconds=0)

    async def read_archive(
        self,
        *names: str,
        start_us: int = 0,
        end_us: int = 2**51,
        device: UUID | None = None,
        unreadable: list[Unreadable] | None = None,
    ) -> Samples:
        """What the archive alone holds, by channel and moment; fails when a moment is there twice."""
        async with jobs.sealing_connection(self.app_url) as connection:
            blocks = await read_archived(
                partial(queries.live_parts, connection),
                self.settings,
                [device or self.device],
                self.channels(*names) if names else None,
                start_us,
                end_us,
                unreadable=unreadable,
            )
        keys = dict(self.connection.execute("SELECT id, key FROM channels").fetchall())
        found: Samples = {}
        for block in blocks.get(device or self.device, []):
            for channel, values in block.columns.items():
                own = found.setdefault(keys[channel], {})
                for at, value in zip(block.times.tolist(), values.tolist(), strict=True):
                    assert at not in own
                    own[at] = value
        return found

    async def read_all(self) -> Samples:
        """Hot, sealed and archived; of two samples of one moment the archived one."""
        newer = await self.read()
        older = await self.read_archive()
        return {
            key: dict(sorted({**newer.get(key, {}), **older.get(key, {})}.items())) for key in newer | older
        }

    def files(self) -> list[Path]:
        return sorted(self.folder.rglob("*.parquet"))

    def live(self) -> list[tuple]:
        return self.connection.execute(
            "SELECT path, rows, devices, size_bytes, sha256 FROM archive_files WHERE state = 'live' ORDER BY id"
        ).fetchall()
