"""Which connections give way, and when. What the protocol itself refuses is tried on the product as it runs."""

from ipaddress import ip_network

import pytest

from fleetkeeper.kit.connections import Connections


class Connection:
    """What the bounds see of a connection."""

    def __init__(self, bounds: Connections, host: str = "192.0.2.1", *, idle: bool = False) -> None:
        self.bounds = bounds
        self.host = self.address = host
        self.idle = idle
        self.end = ""
        self.unsent = 0

    def unsent_bytes(self) -> int:
        return self.unsent

    def is_idle(self) -> bool:
        return self.idle

    def give_way(self) -> None:
        self.bounds.settled(self)
        self.bounds.flowing(self)
        self.end = "gave way"

    def end_late(self, *, has_begun: bool) -> None:
        self.bounds.settled(self)
        self.end = "late in its head" if has_begun else "silent"


@pytest.fixture
def clock() -> list[float]:
    return [1000.0]


def bounds(
    clock: list[float], most: int = 100, of_address: int = 3, proxies: tuple[str, ...] = ()
) -> Connections:
    return Connections(
        most=most,
        max_head_bytes=65_536,
        head_seconds=15,
        max_unfinished_per_address=of_address,
        trusted_proxies=[ip_network(proxy) for proxy in proxies],
        clock=lambda: clock[0],
    )


class TestDeadline:
    def test_of_a_connection_that_says_nothing_and_of_one_that_began(self, clock):
        owing = bounds(clock)
        silent, begun = Connection(owing), Connection(owing)
        for connection in (silent, begun):
            owing.opened(connection, [])
        owing.unfinished(begun)
        clock[0] += 14
        owing.end_late()
        assert (silent.end, begun.end) == ("", "")
        clock[0] += 1
        owing.end_late()
        assert (silent.end, begun.end) == ("silent", "late in its head")

    def test_counts_from_the_connection_on_and_not_from_the_first_byte(self, clock):
        owing = bounds(clock)
        slow = Connection(owing)
        owing.opened(slow, [])
        clock[0] += 10
        owing.unfinished(slow)
        clock[0] += 5
        owing.end_late()
        assert slow.end == "late in its head"

    def test_ends_with_the_head_and_begins_anew_with_the_next(self, clock):
        owing = bounds(clock)
        kept = Connection(owing)
        owing.opened(kept, [])
        owing.settled(kept)
        clock[0] += 1000
        owing.end_late()
        assert kept.end == ""
        owing.unfinished(kept)
        clock[0] += 14
        owing.end_late()
        assert kept.end == ""
        clock[0] += 1
        owing.end_late()
        assert kept.end == "late in its head"


class TestUnfinishedHeads:
    def test_the_oldest_of_an_address_gives_way(self, clock):
        owing = bounds(clock)
        mine = [Connection(owing) for _ in range(5)]
        others = Connection(owing, "192.0.2.2")
        for connection in (mine[0], others, *mine[1:]):
            owing.unfinished(connection)
        assert [connection.end for connection in mine] == ["gave way", "gave way", "", "", ""]
        assert others.end == ""

    def test_more_of_the_same_is_no_more(self, clock):
        owing = bounds(clock, of_address=1)
        connection = Connection(owing)
        for _ in range(5):
            owing.unfinished(connection)
        assert connection.end == ""

    @pytest.mark.parametrize(("host", "end"), [("10.1.2.3", ""), ("192.0.2.1", "gave way"), ("", "gave way")])
    def test_a_trusted_proxy_may_have_many(self, clock, host, end):
        owing = bounds(clock, proxies=("10.0.0.0/8",))
        first, *_ = connections = [Connection(owing, host) for _ in range(4)]
        for connection in connections:
            owing.unfinished(connection)
        assert first.end == end

    def test_all_addresses_together_are_bounded(self, clock, monkeypatch):
        monkeypatch.setattr("fleetkeeper.kit.connections.MAX_UNFINISHED_HEADS", 3)
        owing = bounds(clock)
        connections = [Connection(owing, f"192.0.2.{number}") for number in range(4)]
        for connection in connections:
            owing.unfinished(connection)
        assert [connection.end for connection in connections] == ["gave way", "", "", ""]
        for connection in connections:
            owing.settled(connection)
        assert not owing._unfinished._of_address
        assert not owing._owing


class TestAllConnections:
    def test_those_that_asked_for_nothing_give_way_first(self, clock):
        owing = bounds(clock, most=2)
        idle, silent, new = Connection(owing, idle=True), Connection(owing), Connection(owing)
        for connection in (idle, silent):
            owing.opened(connection, [])
        owing.settled(idle)
        owing.opened(new, [idle, silent, new])
        assert (idle.end, silent.end, new.end) == ("", "gave way", "")

    def test_then_those_that_have_their_answer(self, clock):
        owing = bounds(clock, most=1)
        busy, idle, new = Connection(owing), Connection(owing, idle=True), Connection(owing)
        owing.opened(new, [busy, idle, new])
        assert (busy.end, idle.end, new.end) == ("", "gave way", "")

    def test_at_last_the_newcomer(self, clock):
        owing = bounds(clock, most=1)
        busy, new = Connection(owing), Connection(owing)
        owing.opened(new, [busy, new])
        assert (busy.end, new.end) == ("", "gave way")


class TestStalled:
    def test_who_takes_nothing_for_long_is_cut_off(self, clock):
        owing = bounds(clock)
        deaf, slow, healed = (Connection(owing, f"192.0.2.{number}") for number in range(3))
        for connection in (deaf, slow, healed):
            connection.unsent = 100_000
            owing.stalled(connection)
        clock[0] += 29
        slow.unsent = 90_000
        owing.flowing(healed)
        owing.end_late()
        clock[0] += 1
        owing.end_late()
        assert [connection.end for connection in (deaf, slow, healed)] == ["gave way", "", ""]
        clock[0] += 29
        owing.end_late()
        assert slow.end == "gave way"

    def test_few_of_one_address(self, clock):
        owing = bounds(clock)
        first, *_ = connections = [Connection(owing) for _ in range(51)]
        for connection in connections:
            owing.stalled(connection)
        assert first.end == "gave way"
        assert sum(connection.end != "" for connection in connections) == 1
