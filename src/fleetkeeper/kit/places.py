"""Places for requests: how many there are at once, how many of them one caller has, and how many bytes they hold."""

from collections.abc import Hashable
from types import TracebackType
from typing import Self

from fleetkeeper.errors import OverloadedError


class _Held:
    """What one caller has of the places."""

    __slots__ = ("places", "size_bytes")

    def __init__(self) -> None:
        self.places = 0
        self.size_bytes = 0


class Places:
    """A number of places, of which one caller gets a part."""

    __slots__ = ("_held", "max_bytes", "per_caller", "size_bytes", "taken", "total", "what")

    def __init__(self, total: int, per_caller: int, max_bytes: int = 0, *, what: str = "requests") -> None:
        self.what = what
        self.total = total
        self.per_caller = per_caller
        self.max_bytes = max_bytes
        self.taken = 0
        self.size_bytes = 0
        self._held: dict[Hashable, _Held] = {}

    def take(self, caller: Hashable) -> "Place":
        """A place, to be used in a `with` block. Raises OverloadedError when none is free."""
        if self.taken >= self.total:
            raise OverloadedError(f"Too many {self.what} at once.", retry_after_seconds=1)
        held = self._held.get(caller)
        if held is None:
            held = self._held[caller] = _Held()
        elif held.places >= self.per_caller:
            raise OverloadedError(f"Too many {self.what} at once from one caller.", retry_after_seconds=1)
        held.places += 1
        self.taken += 1
        return Place(self, caller, held)

    def _grow(self, held: _Held, size_bytes: int) -> None:
        # One request of a caller may be as large as there is room; only several share a quarter.
        if self.size_bytes + size_bytes > self.max_bytes or (
            held.places > 1 and held.size_bytes + size_bytes > self.max_bytes // 4
        ):
            raise OverloadedError(f"Too many bytes of {self.what} at once.", retry_after_seconds=2)
        held.size_bytes += size_bytes
        self.size_bytes += size_bytes

    def _release(self, caller: Hashable, held: _Held, size_bytes: int) -> None:
        held.places -= 1
        held.size_bytes -= size_bytes
        self.taken -= 1
        self.size_bytes -= size_bytes
        if not held.places:
            del self._held[caller]


class Place:
    """One place, until the block ends."""

    __slots__ = ("_caller", "_held", "_places", "_size_bytes")

    def __init__(self, places: Places, caller: Hashable, held: _Held) -> None:
        self._places = places
        self._caller = caller
        self._held = held
        self._size_bytes = 0

    def grow(self, size_bytes: int) -> None:
        """Hold so many bytes more. Raises OverloadedError when there is no room for them."""
        self._places._grow(self._held, size_bytes)  # noqa: SLF001 - two halves of one thing
        self._size_bytes += size_bytes

    def give_back(self) -> None:
        """Give it back once, where no `with` block does."""
        self._places._release(self._caller, self._held, self._size_bytes)  # noqa: SLF001 - as above

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.give_back()
