"""Months of the log as Parquet files: written once, read for checks in the order of seals."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq

from fleetkeeper.audit.models import AuditArchive
from fleetkeeper.audit.seals import COLUMNS, TEXT_COLUMNS, Row, archive_hash, is_signed

BATCH = 5000
SCHEMA = pa.schema(
    [
        pa.field("id", pa.int64(), nullable=False),
        pa.field("timestamp", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("transaction_id", pa.int64(), nullable=False),
        *(pa.field(name, pa.string()) for name in TEXT_COLUMNS),
    ]
)


def archive_folder(home: Path) -> Path:
    """Where the files stand."""
    return home / "audit"


def file_name(month: date) -> str:
    """The name of a month's file."""
    return f"audit_log_{month:%Y_%m}.parquet"


def signed_hash(archive: AuditArchive) -> bytes:
    """What the signature of an archive's record is over."""
    return archive_hash(
        archive.id,
        f"{archive.month:%Y-%m}",
        archive.file_name,
        (archive.entries, archive.first_id, archive.last_id, archive.size_bytes),
        archive.sha256,
        (archive.archived_at, archive.removed_at),
    )


class ArchiveWriter:
    """Writes rows, in the order of seals, to a file that appears under its name only when it is whole and on disk."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        self.path = path
        self.draft = path.with_suffix(".partial")
        self._writer = pq.ParquetWriter(self.draft, SCHEMA, compression="zstd")
        self.entries = 0

    def write(self, rows: Sequence[Row]) -> None:
        """Add rows."""
        columns = list(zip(*rows, strict=True))
        arrays = [pa.array(values, item.type) for values, item in zip(columns, SCHEMA, strict=True)]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=SCHEMA))
        self.entries += len(rows)

    def close(self) -> None:
        """End the draft, and see it to the disk."""
        self._writer.close()
        self.draft.chmod(0o600)
        descriptor = os.open(self.draft, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def publish(self) -> None:
        """Give the draft its name."""
        self.draft.replace(self.path)
        descriptor = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read_rows(path: Path) -> Iterator[list[Row]]:
    """A file's rows, some thousands at a time. Raises OSError, ArrowException or ValueError for one that is none."""
    with pq.ParquetFile(path) as file:
        if not file.schema_arrow.equals(SCHEMA):
            raise ValueError("its columns are others")
        for batch in file.iter_batches(BATCH):
            columns = [
                batch.column(index).cast(pa.int64()) if name == "timestamp" else batch.column(index)
                for index, name in enumerate(COLUMNS)
            ]
            yield list(zip(*(column.to_pylist() for column in columns), strict=True))


def digest_of(path: Path) -> bytes:
    """A file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


@dataclass
class _OpenMonth:
    """A file that is read forward, as far as the seals have come."""

    archive: AuditArchive
    batches: Iterator[list[Row]]
    pending: list[Row] = field(default_factory=list)

    def rows_before(self, transaction: int) -> Iterator[list[Row]]:
        while True:
            if not self.pending:
                self.pending = next(self.batches, [])
                if not self.pending:
                    return
            if int(self.pending[-1][2] or 0) < transaction:
                yield self.pending
                self.pending = []
                continue
            index = next(i for i, row in enumerate(self.pending) if int(row[2] or 0) >= transaction)
            if index:
                yield self.pending[:index]
                self.pending = self.pending[index:]
            return


class ArchivedMonths:
    """All archived months, for a check that goes through the seals in their order."""

    def __init__(self, folder: Path, archives: Sequence[AuditArchive], key: bytes) -> None:
        # What is wrong with the archives themselves, with the kind of each finding.
        self.problems: list[tuple[str, str]] = []
        self._open: list[_OpenMonth] = []
        # Months without a file: whether that is as it should be, and how many of their entries were asked for.
        self._gone: list[tuple[AuditArchive, bool]] = []
        self._asked_for: Counter[UUID] = Counter()
        for archive in archives:
            name = f"The archive of {archive.month:%Y-%m}"
            if not is_signed(key, signed_hash(archive), archive.signature):
                self._tell(f"{name} was changed: its record is not what was signed.", "archive_changed")
            elif archive.removed_at is not None:
                self._gone.append((archive, True))
                continue
            path = folder / Path(archive.file_name).name
            try:
                digest = digest_of(path)
            except FileNotFoundError:
                self._tell(f"{name} is missing: {path.name} is not there.", "archive_missing")
                self._gone.append((archive, False))
                continue
            except OSError as error:
                self._tell(f"{name} cannot be read: {error.strerror}.", "archive_changed")
                self._gone.append((archive, False))
                continue
            if digest != archive.sha256:
                self._tell(
                    f"{name} was changed: {path.name} is another file than was written.", "archive_changed"
                )
            self._open.append(_OpenMonth(archive, read_rows(path)))

    def rows_before(self, transaction: int) -> Iterator[list[Row]]:
        """The rows that were not given yet whose transaction is smaller."""
        for month in list(self._open):
            try:
                yield from month.rows_before(transaction)
            except (OSError, ValueError, pa.ArrowException) as error:
                self._open.remove(month)
                self._gone.append((month.archive, False))
                reason = (str(error).splitlines() or ["it is damaged"])[0].rstrip(".")
                self._tell(
                    f"The archive of {month.archive.month:%Y-%m} cannot be read: {reason}.", "archive_changed"
                )

    def is_gone(self, number: int) -> bool | None:
        """Whether an entry's month has no file any more: None if it has, and False if the file should be there.

        Numbers of neighboring months may interleave by a few, so no more are excused than the archive had.
        """
        for archive, is_expired in self._gone:
            if (
                archive.first_id <= number <= archive.last_id
                and self._asked_for[archive.id] < archive.entries
            ):
                self._asked_for[archive.id] += 1
                return is_expired
        return None

    def _tell(self, message: str, kind: str) -> None:
        self.problems.append((message, kind))
