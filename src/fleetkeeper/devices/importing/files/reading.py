"""Reads a file of any of the formats."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePath
from typing import Literal

from fleetkeeper.devices.importing.files.delimited import read_csv
from fleetkeeper.devices.importing.files.documents import read_json, read_yaml
from fleetkeeper.devices.importing.files.sheets import read_xlsx
from fleetkeeper.devices.importing.files.table import MEBIBYTE, MOST_BYTES, Table, refused
from fleetkeeper.errors import TooLargeError

Format = Literal["csv", "xlsx", "json", "yaml"]
_READERS: dict[str, Callable[[bytes], Table]] = {
    "csv": read_csv,
    "xlsx": read_xlsx,
    "json": read_json,
    "yaml": read_yaml,
}
# One file at a time: what is built of one may take some hundred megabytes, and the processor for seconds.
_AT_WORK = ThreadPoolExecutor(max_workers=1, thread_name_prefix="import-files")
_ENDINGS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".xlsx": "xlsx",
    ".json": "json",
    ".yaml": "yaml",
    ".yml": "yaml",
}


def format_of(file_name: str) -> str:
    """The format that a file's name tells. Raises InvalidInputError."""
    found = _ENDINGS.get(PurePath(file_name).suffix.lower())
    if found is None:
        raise refused(
            "Its name does not tell its format", "Use a name that ends in .csv, .xlsx, .json or .yaml"
        )
    return found


async def read_table(content: bytes, file_format: str) -> Table:
    """The table in a file; other requests have their turn meanwhile. Raises InvalidInputError, TooLargeError."""
    if len(content) > MOST_BYTES:
        raise TooLargeError(f"A file has at most {MOST_BYTES // MEBIBYTE} MiB.")
    if not content.strip():
        raise refused("It is empty")
    return await asyncio.get_running_loop().run_in_executor(_AT_WORK, _READERS[file_format], content)
