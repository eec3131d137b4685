"""Which connections of a process may stay: bounds for those that owe a request, and for those that take no answer."""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any, Protocol

# Of all addresses together; with the greatest size of a head this bounds what unfinished ones hold.
MAX_UNFINISHED_HEADS = 1000
# Connections whose client does not take what waits for it, in all and of one address.
MAX_STALLED = 500
MAX_STALLED_OF_ADDRESS = 50


class Connection(Protocol):
    """What the bounds see of a connection."""

    host: str
    address: str

    def is_idle(self) -> bool:
        """Whether all that was asked for is answered."""

    def unsent_bytes(self) -> int:
        """How much of answers waits for the client."""

    def give_way(self) -> None:
        """Close at once."""

    def end_late(self, *, has_begun: bool) -> None:
        """Close a connection that owes a head."""


class _Kept:
    """Connections in one state, the longest first. Of too many, in all or of one address, the oldest gives way."""

    def __init__(
        self, most: int, most_of_address: int, trusted_proxies: Sequence[IPv4Network | IPv6Network]
    ) -> None:
        self._most = most
        self._most_of_address = most_of_address
        self._trusted = tuple(trusted_proxies)
        self._all: dict[Connection, str] = {}
        self._of_address: defaultdict[str, dict[Connection, None]] = defaultdict(dict)

    def __contains__(self, connection: Connection) -> bool:
        return connection in self._all

    def add(self, connection: Connection) -> None:
        if connection in self._all:
            return
        self._all[connection] = connection.address
        if len(self._all) > self._most:
            next(iter(self._all)).give_way()
        if not self._is_trusted(connection.host):
            same = self._of_address[connection.address]
            same[connection] = None
            if len(same) > self._most_of_address:
                next(iter(same)).give_way()

    def remove(self, connection: Connection) -> None:
        address = self._all.pop(connection, "")
        if address in self._of_address:
            same = self._of_address[address]
            same.pop(connection, None)
            if not same:
                del self._of_address[address]

    def _is_trusted(self, host: str) -> bool:
        return bool(host) and any(ip_address(host) in network for network in self._trusted)


class Connections:
    """The connections of a process."""

    def __init__(
        self,
        *,
        most: int,
        max_head_bytes: int,
        head_seconds: float,
        max_unfinished_per_address: int,
        stalled_seconds: float = 30,
        trusted_proxies: Sequence[IPv4Network | IPv6Network] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.max_head_bytes = max_head_bytes
        self._most = most
        self._head_seconds = head_seconds
        self._stalled_seconds = stalled_seconds
        self._clock = clock
        # Those that owe a head, the longest first, and when they began to.
        self._owing: dict[Connection, float] = {}
        self._unfinished = _Kept(MAX_UNFINISHED_HEADS, max_unfinished_per_address, trusted_proxies)
        # Those that take no answer: when something was taken last, and what has waited since.
        self._waiting: dict[Connection, tuple[float, int]] = {}
        self._stalled = _Kept(MAX_STALLED, MAX_STALLED_OF_ADDRESS, trusted_proxies)

    def opened(self, connection: Connection, all_open: Collection[Any]) -> None:
        """Take a connection, one of all that are open. It owes its first head from now on."""
        if len(all_open) > self._most:
            # Who has not asked for anything loses least, then who has its answer; were that nobody, the newcomer.
            idle = next((one for one in all_open if one.is_idle()), connection)
            next(iter(self._owing), idle).give_way()
        self._owing[connection] = self._clock()

    def unfinished(self, connection: Connection) -> None:
        """Note that a part of a head has come, and no more for now."""
        self._owing.setdefault(connection, self._clock())
        self._unfinished.add(connection)

    def settled(self, connection: Connection) -> None:
        """Forget what a connection owed."""
        self._owing.pop(connection, None)
        self._unfinished.remove(connection)

    def stalled(self, connection: Connection) -> None:
        """Note that a client does not take what waits for it."""
        self._waiting[connection] = (self._clock(), connection.unsent_bytes())
        self._stalled.add(connection)

    def flowing(self, connection: Connection) -> None:
        """Note that nothing waits any more."""
        if self._waiting.pop(connection, None) is not None:
            self._stalled.remove(connection)

    def end_late(self) -> None:
        """Close those that have owed a head, or taken nothing of an answer, for too long."""
        now = self._clock()
        late = []
        for connection, began in self._owing.items():
            if began > now - self._head_seconds:
                break
            late.append(connection)
        for connection in late:
            connection.end_late(has_begun=connection in self._unfinished)
        for connection, (since, waited) in list(self._waiting.items()):
            unsent = connection.unsent_bytes()
            if unsent < waited:
                self._waiting[connection] = (now, unsent)
            elif since <= now - self._stalled_seconds:
                connection.give_way()
