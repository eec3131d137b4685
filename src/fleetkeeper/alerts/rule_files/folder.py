"""Reads a folder of rule files, within bounds. Everything here blocks."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from fleetkeeper.alerts.rule_files.nodes import MOST_BYTES
from fleetkeeper.alerts.rule_files.schemas import FileName
from fleetkeeper.errors import InvalidInputError

MOST_FILES = 100
_ENDINGS = (".yml", ".yaml")
_NAME: TypeAdapter[str] = TypeAdapter(FileName)


@dataclass(frozen=True)
class FolderFile:
    """A file of the folder, or why it cannot be read."""

    name: str
    text: str = ""
    sha256: bytes = b""
    error: str = ""


def read_folder(folder: Path) -> list[FolderFile]:
    """The rule files directly in a folder, by name. Raises InvalidInputError where it cannot tell which there are."""
    try:
        paths = sorted(path for path in folder.iterdir() if _is_rule_file(path.name))
    except OSError as error:
        raise InvalidInputError(
            f"The folder of rule files {folder} cannot be read: {error.strerror}. Its rules stay as they were."
        ) from None
    if len(paths) > MOST_FILES:
        raise InvalidInputError(
            f"The folder of rule files {folder} has more than {MOST_FILES} of them; nothing was imported."
        )
    for path in paths:
        _check_name(path.name)
    return [_read_file(path) for path in paths]


def _is_rule_file(name: str) -> bool:
    # Editors and copying tools keep unfinished files under hidden names.
    return name.endswith(_ENDINGS) and not name.startswith(".")


def _check_name(name: str) -> None:
    try:
        _NAME.validate_python(name)
    except ValidationError:
        raise InvalidInputError(
            f"The folder of rule files has the file {name!a}; a name has at most 100 characters of UTF-8, "
            "without control characters. Nothing was imported."
        ) from None


def _read_file(path: Path) -> FolderFile:
    try:
        content = _content(path)
    except OSError as error:
        return FolderFile(path.name, error=f"The file cannot be read: {error.strerror}")
    if content is None:
        return FolderFile(path.name, error="This is no file")
    if len(content) > MOST_BYTES:
        return FolderFile(path.name, error=f"The file is larger than {MOST_BYTES // 1024} KiB")
    try:
        return FolderFile(path.name, content.decode(), sha256(content).digest())
    except UnicodeDecodeError:
        return FolderFile(path.name, error="The file is not UTF-8")


def _content(path: Path) -> bytes | None:
    """At most a byte more than a file may have; None for pipes, devices and folders."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1)
