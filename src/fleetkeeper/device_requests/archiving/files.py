"""Parquet files of requests: one row each, with all that belongs to it as JSON. Blocking; no database here."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from fleetkeeper.telemetry.archive.store import Draft, Store, StoreError

# Reading one request reads no more than its group.
ROWS_PER_GROUP = 100
SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("device_id", pa.string(), nullable=False),
        pa.field("device_name", pa.string(), nullable=False),
        pa.field("request_type", pa.string(), nullable=False),
        pa.field("status", pa.string(), nullable=False),
        pa.field("payload_hash", pa.string()),
        pa.field("created_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("document", pa.string(), nullable=False),
    ]
)


class OldRequest(msgspec.Struct, frozen=True):
    """A request as a file has it, and the version that was read."""

    id: UUID
    version: int
    device_id: UUID
    device_name: str
    request_type: str
    status: str
    payload_hash: str | None
    created_at: datetime
    document: dict[str, Any]


class RequestWriter:
    """Writes a file, group by group."""

    def __init__(self, draft: Draft) -> None:
        self._writer = pq.ParquetWriter(draft, SCHEMA, compression="zstd")

    def write(self, rows: Sequence[OldRequest]) -> None:
        """Add a group of at most ROWS_PER_GROUP."""
        columns: dict[str, list[Any]] = {field.name: [] for field in SCHEMA}
        for row in rows:
            for name in ("device_name", "request_type", "status", "payload_hash", "created_at"):
                columns[name].append(getattr(row, name))
            columns["id"].append(str(row.id))
            columns["device_id"].append(str(row.device_id))
            columns["document"].append(json.dumps(row.document, ensure_ascii=False))
        self._writer.write_table(pa.table(columns, schema=SCHEMA), row_group_size=ROWS_PER_GROUP)

    def close(self) -> None:
        """End the file."""
        self._writer.close()


def read_document(store: Store, path: str, position: int, request_id: UUID) -> dict[str, Any]:
    """The document of one request. Raises StoreError for a file that does not have it."""
    try:
        with store.open(path) as file, pq.ParquetFile(file) as parquet:
            group, place = divmod(position, ROWS_PER_GROUP)
            rows = parquet.read_row_group(group, columns=["id", "document"]).slice(place, 1).to_pylist()
    except FileNotFoundError:
        raise StoreError("The file with this request is not in the archive any more.") from None
    except (OSError, pa.ArrowException, IndexError) as error:
        raise StoreError(f"The file with this request cannot be read: {type(error).__name__}.") from error
    if not rows or rows[0]["id"] != str(request_id):
        raise StoreError("The file with this request is not what was written.")
    document: dict[str, Any] = json.loads(rows[0]["document"])
    return document
