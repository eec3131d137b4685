"""Batches as the bytes of a file, piece by piece."""

from collections.abc import AsyncIterator
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from fleetkeeper.kit.drained_file import DrainedFile
from fleetkeeper.kit.spreadsheets import FORMULA_MARKS
from fleetkeeper.telemetry.exporting.batches import SCHEMA, Piece

FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
}
_TEXTS = ("device", "metric", "labels")
_CSV_SCHEMA = pa.schema(
    [field if field.name != "ts" else pa.field("ts", pa.string(), nullable=False) for field in SCHEMA]
)


class _Writer(Protocol):
    def write_batch(self, batch: pa.RecordBatch) -> None: ...

    def close(self) -> None: ...


async def written(pieces: AsyncIterator[Piece], file_format: str) -> AsyncIterator[tuple[bytes, float]]:
    """The file's bytes as they come, each with the part of the work that is done (0 to 1)."""
    file = DrainedFile()
    writer: _Writer = _writer(pa.PythonFile(file, mode="w"), file_format)
    async for piece in pieces:
        if piece.batch is not None:
            writer.write_batch(_as_text(piece.batch) if file_format == "csv" else piece.batch)
        yield file.take(), piece.done
    writer.close()
    yield file.take(), 1.0


def _writer(sink: Any, file_format: str) -> Any:
    if file_format == "csv":
        return pa_csv.CSVWriter(sink, _CSV_SCHEMA)
    if file_format == "parquet":
        return pq.ParquetWriter(
            sink,
            SCHEMA,
            compression="zstd",
            use_dictionary=["device_id", "device", "metric", "labels"],
            column_encoding={"ts": "DELTA_BINARY_PACKED"},
        )
    return pa.ipc.new_stream(sink, SCHEMA)


def _as_text(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch for spreadsheets: times in RFC 3339, and no text that one would take for a formula."""
    columns = {name: batch.column(name) for name in batch.schema.names}
    columns["ts"] = pc.strftime(columns["ts"], "%Y-%m-%dT%H:%M:%SZ")
    for name in _TEXTS:
        texts = columns[name]
        first = pc.utf8_slice_codeunits(texts, 0, 1)
        risky = pc.is_in(first, pa.array(FORMULA_MARKS))
        columns[name] = pc.if_else(risky, pc.binary_join_element_wise("'", texts, ""), texts)
    return pa.RecordBatch.from_arrays([columns[name] for name in _CSV_SCHEMA.names], schema=_CSV_SCHEMA)
