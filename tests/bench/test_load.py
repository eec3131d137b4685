"""The benchmarks' own parts: the generator counts right, plans send each moment once."""

import asyncio
import threading

import cramjam
import numpy as np
import pytest
from bench.document_tables import DocumentDatabase, nested, tables
from bench.load import Generator, Plan, Request
from bench.options import Options
from bench.peers import PEERS, find_program
from bench.protocol_bodies import PROTOCOLS, Batch
from bench.report import Section

from bench import payloads
from fleetkeeper.telemetry.senders import remote_write, remote_write_v2
from fleetkeeper.telemetry.senders.effort import Effort


class Answering(asyncio.Protocol):
    """Collects requests; answers the n-th with `answers[n]`, or the last of them."""

    def __init__(self, requests, answers):
        self.requests = requests
        self.answers = answers
        self.buffer = b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.buffer += data
        head = self.buffer.find(b"\r\n\r\n")
        at = self.buffer.find(b"Content-Length:")
        length = int(self.buffer[at + 15 : self.buffer.find(b"\r", at)])
        if head < 0 or len(self.buffer) < head + 4 + length:
            return
        answer = self.answers[min(len(self.requests), len(self.answers) - 1)]
        self.requests.append(self.buffer)
        self.buffer = b""
        if answer is None:
            self.transport.close()
        else:
            self.transport.write(answer)


@pytest.fixture
def serve():
    """Run a server in a thread; returns (port, requests)."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    servers = []

    def start(*answers):
        requests = []

        async def listen():
            return await loop.create_server(lambda: Answering(requests, answers), "127.0.0.1", 0)

        server = asyncio.run_coroutine_threadsafe(listen(), loop).result()
        servers.append(server)
        return server.sockets[0].getsockname()[1], requests

    async def stop():
        for server in servers:
            server.close()
            await server.wait_closed()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    yield start
    asyncio.run_coroutine_threadsafe(stop(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def answer(status, body=b"", *headers):
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def plan(frames=1, expect=b"yes", devices=2):
    body = b'{"ts":0000000000.000}' * frames
    data = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    offsets = tuple(len(data) - len(body) + 6 + 21 * number for number in range(frames))
    requests = [Request(bytearray(data), offsets) for _ in range(devices)]
    return Plan("test", requests, devices, frames, 1, False, expect, start_ms=1_700_000_000_000, step_ms=250)


def run(port, what, *, requests, connections=2):
    return Generator(what, port, connections=connections).run(5.0, warm_up=0.0, max_requests=requests)


def test_counts_acknowledged_requests_and_times_them(serve):
    port, requests = serve(answer(200, b'{"x":"yes"}'))
    outcome = run(port, plan(), requests=100)
    assert 98 <= outcome.acknowledged <= 102
    assert 100 <= outcome.sent <= 102
    assert len(outcome.latencies) == outcome.acknowledged
    assert not outcome.unexpected
    assert 0 < outcome.quantile_ms(0.5) <= outcome.quantile_ms(0.99)
    assert len(requests) >= outcome.acknowledged


def test_every_device_gets_its_own_moments_once(serve):
    port, requests = serve(answer(200, b"yes"))
    run(port, plan(frames=3, devices=2), requests=20, connections=1)
    stamps = [request.partition(b"\r\n\r\n")[2] for request in requests]
    assert stamps[0] == b'{"ts":1700000000.000}{"ts":1700000000.250}{"ts":1700000000.500}'
    assert stamps[1] == stamps[0]  # the other device
    assert stamps[2].startswith(b'{"ts":1700000000.750}')
    assert len(set(stamps)) * 2 in {len(stamps), len(stamps) + 1}


@pytest.mark.parametrize(
    "bad", [answer(500, b"yes"), answer(200, b"no"), answer(401, b""), answer(200, b'{"accepted":0}')]
)
def test_other_answers_are_not_acknowledged(serve, bad):
    port, _ = serve(bad)
    outcome = run(port, plan(), requests=10)
    assert outcome.acknowledged == 0
    assert sum(outcome.unexpected.values()) >= 8


def test_waits_when_the_server_is_busy(serve):
    port, _ = serve(answer(429, b"", "Retry-After: 0"), answer(200, b"yes"))
    outcome = run(port, plan(), requests=10, connections=1)
    assert outcome.statuses["429"] == 1
    assert outcome.acknowledged >= 8


def test_connects_again_when_the_connection_is_closed(serve):
    port, _ = serve(None, answer(200, b"yes", "Connection: close"), answer(200, b"yes"))
    outcome = run(port, plan(), requests=10, connections=1)
    assert outcome.unexpected == {"connection closed": 1}
    assert outcome.acknowledged >= 7


def test_chunked_and_empty_answers_are_read_to_their_end(serve):
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n0\r\n\r\n"
    port, _ = serve(chunked, b"HTTP/1.1 204 No Content\r\n\r\n")
    outcome = run(port, plan(expect=b""), requests=10, connections=1)
    assert outcome.acknowledged >= 9


def test_all_systems_get_the_same_values():
    values = payloads.frame_values(3, 2)
    assert values.shape == (3, 2, 100)
    assert np.array_equal(values, payloads.frame_values(3, 2))
    ours = payloads.fleetkeeper_plan(values, 2, ["a", "b", "c"])
    lines = payloads.influx_plan("peer", values, 2, "/write")
    assert len(ours.requests) == len(lines.requests) == 3
    for request in (*ours.requests, *lines.requests):
        assert len(request.offsets) == 2
    text = bytes(lines.requests[1].data).partition(b"\r\n\r\n")[2].decode()
    first = text.splitlines()[0]
    fields = first.split(" ")[1].split(",")
    assert [float(field.partition("=")[2]) for field in fields] == values[1, 0].tolist()
    assert len({field.partition("=")[0] for field in fields}) == 100


def test_runs_with_one_and_with_many_frames_do_not_touch():
    frames = (payloads.BATCH_AGE_SECONDS - 30) * 1000 // payloads.STEP_MS
    end_of_single = -payloads.SINGLE_AGE_SECONDS + frames * payloads.STEP_MS / 1000
    assert end_of_single < -payloads.BATCH_AGE_SECONDS
    assert -payloads.BATCH_AGE_SECONDS + frames * payloads.STEP_MS / 1000 < 0


def test_a_snapshot_of_document_004_has_all_values():
    row = payloads.frame_values(1, 1)[0, 0]

    def leaves(tree):
        return (
            [tree] if isinstance(tree, float) else [leaf for part in tree.values() for leaf in leaves(part)]
        )

    assert sorted(leaves(nested(row))) == sorted(row.tolist())


def test_the_documents_inserts_have_all_values():
    row = payloads.frame_values(1, 1)[0, 0]
    by_value, wide, snapshot = (table.insert(row) for table in tables(10))
    assert by_value.count("now()") == 100
    assert wide.count(", ") >= 200
    assert "'aggregated'" in snapshot


def test_sections_print_numbers_for_people():
    from rich.console import Console

    section = Section("Title")
    section.add(system="ours", rate=12_345.6, p50_ms=float("nan"), count=1000)
    section.note("a note")
    console = Console(width=120, record=True, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
    with console.file:
        section.print(console)
    text = console.export_text()
    assert "12,346" in text
    assert "1,000" in text
    assert "a note" in text


@pytest.mark.parametrize(("start", "program"), [(PEERS[0], "influxd"), (PEERS[1], "victoria-metrics")])
def test_peers_take_what_we_send_them(start, program, tmp_path):
    if find_program(program) is None:
        pytest.skip(f"{program} is not installed on this machine; the benchmark leaves it out as well")
    peer = start(tmp_path / "peer")
    try:
        values = payloads.frame_values(4, 2)
        what = payloads.influx_plan(peer.name, values, 2, peer.path)
        outcome = run(peer.port, what, requests=20)
        assert outcome.acknowledged >= 18
        assert set(outcome.statuses) == {"204"}
    finally:
        peer.started.stop(30.0)


def test_the_documents_tables_take_their_inserts(tmp_path):
    values = payloads.frame_values(8, 2)
    database = DocumentDatabase(tmp_path)
    try:
        for table in tables(8):
            outcome = database.run(table, values, clients=2, seconds=1)
            assert outcome.snapshots > 0
            assert outcome.bytes_per_sample > 1.0
            assert 0 < outcome.p50_ms <= outcome.p99_ms
    finally:
        database.stop()


def test_options_choose_parts():
    assert Options().wants("peers")
    assert not Options(only=("ceiling",)).wants("peers")


def test_no_more_is_sent_than_asked_and_all_answers_are_awaited(serve):
    port, requests = serve(answer(200, b"yes"))
    outcome = Generator(plan(), port, connections=3).run(10, warm_up=0, max_requests=10)
    assert outcome.acknowledged == outcome.sent == len(requests) == 10


def test_a_rate_spreads_the_requests(serve):
    port, _ = serve(answer(200, b"yes"))
    outcome = Generator(plan(), port, connections=3, rate=50).run(10, warm_up=0, max_requests=21)
    assert outcome.acknowledged == 21
    assert 0.39 < outcome.seconds < 5


def test_bodies_of_remote_write_are_what_the_product_reads():
    rows = payloads.frame_values(2, 1)[:, 0]
    batch = Batch(["one", "two"])
    for protocol, read in zip(
        PROTOCOLS, (remote_write.read_write_request, remote_write_v2.read_request), strict=False
    ):
        body = bytes(cramjam.snappy.decompress_raw(protocol.encode(batch, 1_795_132_800_123, rows)))
        found = read(body, {}, effort=Effort(10_000))
        assert sorted(found.values.tolist()) == sorted(rows.ravel().tolist())
        assert set(found.times_us.tolist()) == {1_795_132_800_123_000}
