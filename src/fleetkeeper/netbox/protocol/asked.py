"""What a request works with."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.sealing import Sealer

BASE = "/netbox/api"
_Found = TypeVar("_Found")


@dataclass(frozen=True)
class Asked:
    """One request: who asks, in which transaction, and what was looked up for it already."""

    session: AsyncSession
    actor: Actor
    # The product's address, as in https://fleet.example.com.
    origin: str
    sealer: Sealer
    reason: str = ""
    _known: dict[Any, Any] = field(default_factory=dict)

    def url(self, path: str, number: int) -> str:
        """The address of an object of a kind."""
        return f"{self.origin}{BASE}/{path}/{number}/"

    def page(self, path: str) -> str:
        """The address of a page of the console."""
        return f"{self.origin}{path}"

    async def once(self, key: Any, look_up: Callable[[], Awaitable[_Found]]) -> _Found:
        """What is looked up once for a request."""
        if key not in self._known:
            self._known[key] = await look_up()
        found: _Found = self._known[key]
        return found

    def forget(self) -> None:
        """Look everything up again: something has changed."""
        self._known.clear()
