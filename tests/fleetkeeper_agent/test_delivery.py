"""Delivery: live frames first, back-off, newest of the backlog first, nothing lost or tried for ever."""

import pytest
from tests.fleetkeeper_agent.fake_channel import ACCEPTED, AWAY, BAD_BODY, NO_SUCH_PATH, REVOKED, FakeChannel

from fleetkeeper_agent.channel import Answer, Verdict
from fleetkeeper_agent.configuration import Configuration
from fleetkeeper_agent.delivery import INVENTORY_PATH, PROCESSES_PATH, SESSIONS_PATH, TELEMETRY_PATH, Delivery
from fleetkeeper_agent.spool import FRAME, PROCESSES, Spool
from fleetkeeper_protocol.messages import (
    Frame,
    Inventory,
    InventoryReport,
    ProcessSnapshot,
    SessionReport,
)


class Bench:
    """A delivery with everything around it."""

    def __init__(self, tmp_path, clock):
        self.clock = clock
        self.channel = FakeChannel()
        self.spool = Spool(tmp_path / "spool.db", clock.wall)
        self.delivery = Delivery(self.channel, self.spool, Configuration(), clock)
        self.start = clock.wall()

    def frame(self, number: float) -> Frame:
        return Frame(self.start + number, {"a": number})

    def submit(self, *numbers: float) -> None:
        for number in numbers:
            self.delivery.submit(self.frame(number))

    def settle(self, seconds: float = 0.0) -> None:
        """Do all that can be done until a moment, moving the clock over the waits."""
        until = self.clock.monotonic() + seconds
        for _ in range(1000):
            delay = self.delivery.step()
            if delay > 0:
                if self.clock.monotonic() + delay > until:
                    break
                self.clock.advance(delay)
        else:
            raise AssertionError("the delivery never rests")

    def sent(self) -> list[list[float]]:
        return [[ts - self.start for ts in batch] for batch in self.channel.frames()]


@pytest.fixture
def bench(tmp_path, clock):
    found = Bench(tmp_path, clock)
    yield found
    found.spool.close()


def test_live_frames_go_first_and_without_touching_the_spool(bench):
    bench.submit(0, 5)
    bench.delivery.submit_sessions(SessionReport(1.0, []))
    bench.settle()
    assert bench.channel.posts[0][0] == TELEMETRY_PATH
    assert bench.sent() == [[0, 5]]
    assert bench.delivery.frames_sent == 2
    assert bench.delivery.link == "connected"
    assert bench.spool.newest(FRAME, 1) == []


def test_each_batch_has_an_identifier_of_its_own(bench):
    bench.submit(0)
    bench.settle()
    bench.submit(5)
    bench.settle()
    identifiers = {body["batch_id"] for _, body in bench.channel.posts}
    assert len(identifiers) == 2


def test_an_outage_fills_the_spool_and_the_backlog_comes_newest_first(bench):
    bench.channel.default = AWAY
    bench.submit(0)
    bench.settle()
    assert bench.spool.waiting(FRAME) == 1
    bench.submit(*range(5, 1500, 5))
    assert bench.spool.waiting(FRAME) == 300
    bench.channel.default = ACCEPTED
    bench.channel.posts.clear()
    bench.settle(2.0)
    assert bench.sent()[0] == [1495], "a small probe first, with the newest frame"
    assert bench.sent()[1] == list(range(895, 1495, 5)), "then the newest of the backlog, in order"
    bench.submit(1500)
    bench.settle(10.0)
    assert bench.sent()[2] in ([1500], list(range(295, 895, 5)))
    assert sorted(ts for batch in bench.sent() for ts in batch) == list(range(0, 1505, 5))
    assert bench.spool.waiting(FRAME) == 0
    assert bench.delivery.figures() == (0, 0, 0)


def test_a_live_frame_does_not_wait_for_the_backlog(bench):
    bench.spool.add(
        FRAME, [(bench.start - n, b'{"ts":%d,"values":{}}' % (bench.start - n)) for n in range(1, 1000)]
    )
    for number in range(5):
        bench.submit(number)
        bench.channel.posts.clear()
        bench.delivery.step()
        assert bench.sent() == [[number]]
        bench.settle()
        bench.clock.advance(1.0)
    assert bench.spool.waiting(FRAME) < 999


def test_backoff_grows_with_jitter_and_retry_after_is_honoured(bench):
    bench.channel.answers.extend([AWAY, AWAY, Answer(Verdict.RETRY, 503, "busy", retry_after=100.0), AWAY])
    bench.submit(0)
    delays = []
    for _ in range(4):
        bench.delivery.step()
        delays.append(bench.delivery.step())
        bench.clock.advance(delays[-1])
    assert delays == [1, 2, 104, 8]
    bench.delivery.step()
    assert bench.spool.waiting(FRAME) == 0


def test_while_backing_off_nothing_is_sent(bench):
    bench.channel.answers.append(Answer(Verdict.RETRY, 429, "slow down", retry_after=30.0))
    bench.submit(0)
    bench.delivery.step()
    bench.channel.posts.clear()
    bench.submit(5, 10, 15)
    bench.delivery.submit_sessions(SessionReport(1.0, []))
    bench.settle(29.0)
    assert bench.channel.posts == []
    assert bench.channel.gets == []


def test_a_revoked_key_keeps_everything_and_asks_slowly(bench, caplog):
    bench.channel.default = REVOKED
    bench.submit(0)
    bench.delivery.step()
    assert bench.delivery.step() == pytest.approx(360.0)
    bench.submit(5, 10)
    assert bench.spool.waiting(FRAME) == 3
    assert "enroll it again" in bench.delivery.link
    assert caplog.text.count("enroll it again") == 1
    bench.channel.default = ACCEPTED
    bench.settle(400.0)
    assert bench.spool.waiting(FRAME) == 0


def test_a_frame_that_the_server_will_never_take_is_counted_and_dropped(bench):
    bench.channel.answers.append(BAD_BODY)
    bench.submit(0)
    bench.settle()
    assert bench.delivery.figures() == (0, 0, 1)
    loss = bench.spool.losses()[0]
    assert (loss.reason, loss.first_ts) == ("the server refused it (422)", bench.start)
    bench.submit(5)
    bench.settle()
    assert bench.sent() == [[0], [5]]
    assert bench.delivery.link == "connected"


def test_one_bad_frame_in_a_backlog_costs_only_itself(bench):
    bench.channel.default = AWAY
    bench.submit(0)
    bench.settle()
    bench.submit(*range(1, 200))
    bad = bench.start + 137
    bench.channel.rule = lambda _path, body: (
        BAD_BODY if bad in [f["ts"] for f in body["frames"]] else ACCEPTED
    )
    bench.settle(120.0)
    assert bench.spool.waiting(FRAME) == 0
    assert bench.delivery.figures().rejected_frames == 1
    assert bench.spool.losses()[0].first_ts == bad
    assert bench.delivery.frames_sent == 199


def test_a_bad_frame_among_live_ones_goes_through_the_spool(bench):
    bad = bench.start + 5
    bench.channel.rule = lambda path, body: (
        BAD_BODY if path == TELEMETRY_PATH and bad in [f["ts"] for f in body["frames"]] else ACCEPTED
    )
    bench.submit(0, 5, 10)
    bench.settle(30.0)
    assert bench.delivery.figures() == (0, 0, 1)
    assert bench.delivery.frames_sent == 2


def test_a_server_that_refuses_all_frames_does_not_empty_the_spool(bench):
    bench.channel.default = AWAY
    bench.submit(0)
    bench.settle()
    bench.submit(*range(1, 50))
    bench.channel.default = NO_SUCH_PATH
    bench.settle(100.0)
    assert bench.spool.waiting(FRAME) == 49
    assert bench.delivery.figures().rejected_frames == 1
    assert "404" in bench.delivery.link
    bench.submit(100)
    bench.settle()
    assert bench.delivery.figures().rejected_frames == 2
    bench.channel.default = ACCEPTED
    bench.submit(105)
    bench.settle(100.0)
    assert bench.spool.waiting(FRAME) == 0


def test_frames_that_the_server_did_not_store_are_counted(bench):
    body = b'{"accepted":1,"duplicates":0,"rejected":[{"index":1,"field":"values","error":"x\\ny"}]}'
    bench.channel.answers.append(Answer(Verdict.ACCEPTED, 200, body=body))
    bench.submit(0, 5)
    bench.settle()
    assert bench.delivery.figures().rejected_frames == 1
    assert bench.spool.losses()[0].reason == "the server refused it: values: x y"
    assert bench.delivery.frames_sent == 1


def test_memory_is_bounded_while_a_request_hangs(bench):
    bench.submit(*range(100))
    assert bench.spool.waiting(FRAME) == 88
    bench.settle(10.0)
    assert bench.sent()[0] == list(range(88, 100))


def test_shutdown_keeps_what_is_under_way(bench):
    def interrupted(_path, _body):
        bench.submit(5)
        bench.delivery.save()
        return ACCEPTED

    bench.channel.rule = interrupted
    bench.submit(0)
    bench.delivery.submit_processes(ProcessSnapshot(1.0 + bench.start, []))
    bench.delivery.step()
    assert [entry.ts - bench.start for entry in bench.spool.newest(FRAME, 10)] == [0, 5]
    assert bench.spool.waiting(PROCESSES) == 1


def test_the_end_sends_what_is_fresh_and_stops_when_that_fails(bench):
    bench.submit(0)
    bench.delivery.flush_live(lambda: False)
    assert bench.sent() == [[0]]
    bench.channel.default = AWAY
    bench.submit(5)
    bench.delivery.flush_live(lambda: False)
    bench.delivery.save()
    assert bench.spool.waiting(FRAME) == 1


def test_only_the_latest_inventory_and_sessions_are_sent_again(bench):
    bench.channel.answers.append(AWAY)
    bench.delivery.submit_inventory(InventoryReport(Inventory("old")))
    bench.settle()
    bench.delivery.submit_inventory(InventoryReport(Inventory("new")))
    bench.delivery.submit_sessions(SessionReport(1.0, []))
    bench.channel.posts.clear()
    bench.settle(20.0)
    names = [body["inventory"]["hostname"] for path, body in bench.channel.posts if path == INVENTORY_PATH]
    assert names == ["new"]
    assert [path for path, _ in bench.channel.posts].count(SESSIONS_PATH) == 1


def test_a_refused_inventory_is_not_tried_for_ever(bench):
    bench.channel.default = BAD_BODY
    bench.delivery.submit_inventory(InventoryReport(Inventory("host")))
    bench.settle(200.0)
    assert [path for path, _ in bench.channel.posts] == [INVENTORY_PATH]


def test_process_snapshots_wait_in_the_spool(bench):
    bench.channel.default = AWAY
    bench.submit(0)
    bench.settle()
    for number in range(30):
        bench.delivery.submit_processes(ProcessSnapshot(bench.start + number, []))
    assert bench.spool.waiting(PROCESSES) == 30
    bench.channel.default = ACCEPTED
    bench.settle(20.0)
    batches = [body["snapshots"] for path, body in bench.channel.posts if path == PROCESSES_PATH]
    assert [len(batch) for batch in batches] == [20, 10]
    assert bench.spool.waiting(PROCESSES) == 0


@pytest.mark.parametrize(("answer", "waiting"), [(AWAY, 1), (REVOKED, 1), (BAD_BODY, 0), (ACCEPTED, 0)])
def test_fresh_process_snapshots(bench, answer, waiting):
    bench.settle()
    bench.channel.answers.append(answer)
    bench.delivery.submit_processes(ProcessSnapshot(bench.start, []))
    bench.delivery.step()
    assert bench.spool.waiting(PROCESSES) == waiting


def test_an_idle_agent_asks_for_its_configuration_once_a_minute(bench):
    bench.settle(600.0)
    assert len(bench.channel.gets) == 11
