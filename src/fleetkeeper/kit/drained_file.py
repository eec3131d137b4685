"""A file whose content is taken away while it is written, so that any length fits in little memory."""

import io
from typing import Any


class DrainedFile(io.RawIOBase):
    """Takes bytes from a writer of files; `take` hands them on."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._length = 0

    def writable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """How many bytes were written so far."""
        return self._length

    def write(self, data: Any) -> int:
        """Keep bytes until they are taken."""
        chunk = bytes(data)
        self._chunks.append(chunk)
        self._length += len(chunk)
        return len(chunk)

    def take(self) -> bytes:
        """What was written since the last call."""
        chunks, self._chunks = self._chunks, []
        return b"".join(chunks)
