"""Floods by callers whom nobody knows, on the product as it runs: it stays small, and agents are served meanwhile."""

import threading
import time
from collections import Counter
from collections.abc import Iterator

import httpx
import psycopg
import pytest

from tests.attacks.flooding import Flooder, Watched, head, watching
from tests.fixtures.product import wait_for

INVENTED = "fkd_" + "x" * 43
MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def watched(tmp_path_factory) -> Iterator[Watched]:
    """The product with short deadlines and few places, so that a small flood shows what a large one would do."""
    settings = {
        "FLEETKEEPER_WEB__HEAD_SECONDS": "2",
        "FLEETKEEPER_WEB__BODY_GRACE_SECONDS": "2",
        "FLEETKEEPER_WEB__MAX_REQUESTS_IN_FLIGHT": "60",
        "FLEETKEEPER_TELEMETRY__MAX_REQUESTS_IN_FLIGHT": "60",
    }
    with watching(tmp_path_factory.mktemp("floods") / "home", settings) as watched:
        yield watched


def all_at_once(flooders: list[Flooder], most_bytes: int) -> None:
    threads = [threading.Thread(target=one.send_endlessly, args=(most_bytes,)) for one in flooders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class TestBodies:
    @pytest.mark.parametrize("length", ["Content-Length: 400000000", "Transfer-Encoding: chunked"])
    def test_a_large_one_is_not_read(self, watched, length):
        """Neither where anybody may ask, nor where one must be known."""
        with watched.memory_kept(), watched.agent():
            paths = ("/api/v1/enroll", "/api/v1/tokens", "/api/v1/telemetry", "/sign-in", "/otlp/v1/metrics")
            flooders = [Flooder(watched.product) for _ in range(2 * len(paths))]
            for number, flooder in enumerate(flooders):
                flooder.send(head(paths[number // 2], length))
                if "chunked" in length:
                    flooder.send(b"10000000\r\n")
            all_at_once(flooders, 400 * MEGABYTE)
        expected = [413, 413, 401, 401, 401, 401, 413, 413, 401, 401]
        assert [flooder.status for flooder in flooders] == expected
        assert max(flooder.sent_bytes for flooder in flooders) < 20 * MEGABYTE
        assert all(b"\r\nconnection: close\r\n" in flooder.answer for flooder in flooders)

    @pytest.mark.parametrize("authorization", ["", f"Authorization: Bearer {INVENTED}"])
    @pytest.mark.parametrize("path", ["/api/v1/telemetry", "/prometheus/api/v1/write", "/api/v1/tokens"])
    def test_those_that_stay_unfinished_take_no_place(self, watched, authorization, path):
        address = f"127.0.2.{1 + hash((authorization, path)) % 250}"
        with watched.memory_kept(), watched.agent():
            flooders = [Flooder(watched.product, address) for _ in range(150)]
            for number, flooder in enumerate(flooders):
                own = authorization and f"{authorization[:-4]}{number:04}"
                flooder.send(head(path, "Content-Length: 9000", *([own] if own else [])) + b"a" * 1000)
            for flooder in flooders:
                flooder.read_to_the_end()
        assert {flooder.status for flooder in flooders} <= {401, 429}

    def test_a_slow_one_loses_its_place(self, watched):
        keyed = f"Authorization: Bearer {watched.key}"
        flooders = [Flooder(watched.product) for _ in range(20)]
        with watched.agent():
            for flooder in flooders:
                flooder.send(head("/api/v1/telemetry", keyed, "Content-Length: 9000") + b"a" * 1000)
            for flooder in flooders:
                flooder.read_to_the_end()
        assert {flooder.status for flooder in flooders} == {408}

    def test_slow_ones_hold_no_session_of_the_database(self, watched):
        token = watched.product.api_token()
        keyed = f"Authorization: Bearer {token}"
        flooders = [Flooder(watched.product) for _ in range(16)]
        path = f"/api/v1/telemetry/devices/{watched.device}"
        with watched.agent(), watched.product.client(token) as client:
            for flooder in flooders:
                flooder.send(head(path, keyed, "Content-Length: 9000") + b"a" * 1000)
            for _ in range(5):
                assert client.get("/health/ready").status_code == 200
                assert client.get("/api/v1/devices").status_code == 200
            for flooder in flooders:
                flooder.read_to_the_end()
        assert {flooder.status for flooder in flooders} == {408}

    def test_aborted_ones_leave_no_traces_in_the_log(self, watched):
        before = len(watched.product.output)
        keyed = f"Authorization: Bearer {watched.product.api_token()}"
        for path in ("/api/v1/enroll", "/api/v1/tokens", "/otlp/v1/metrics", "/prometheus/api/v1/query"):
            for _ in range(10):
                flooder = Flooder(watched.product)
                flooder.send(head(path, keyed, "Content-Length: 9000") + b"a" * 1000)
                flooder.close()
        with watched.agent():
            wait_for("some reports", lambda: watched.statuses[200] > 10)
        said = watched.product.output[before:]
        assert "Traceback" not in said
        assert len(said) < 40 * 200


class TestHeads:
    def test_an_endless_one_is_refused(self, watched):
        with watched.memory_kept(), watched.agent():
            flooders = [Flooder(watched.product) for _ in range(6)]
            for number, flooder in enumerate(flooders):
                # One endless header, or a great many, or an endless address.
                begin = [b"GET / HTTP/1.1\r\nX: ", b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 20_000, b"GET /"]
                flooder.send(begin[number % 3])
            all_at_once(flooders, 300 * MEGABYTE)
        assert {flooder.status for flooder in flooders} == {431}
        assert max(flooder.sent_bytes for flooder in flooders) < 20 * MEGABYTE

    @pytest.mark.parametrize("size_bytes", [70_000, 200_000])
    def test_a_large_one_is_refused_although_it_comes_at_once(self, watched, size_bytes):
        flooder = Flooder(watched.product)
        flooder.send(head("/health/live", "X: " + "a" * size_bytes, method="GET"))
        flooder.read_to_the_end()
        assert flooder.status == 431

    def test_endless_trailers_are_refused(self, watched):
        with watched.memory_kept(), watched.agent():
            flooder = Flooder(watched.product)
            chunked = head("/api/v1/enroll", "Transfer-Encoding: chunked") + b"2\r\n{}\r\n0\r\nX: "
            flooder.send(chunked)
            flooder.send_endlessly(300 * MEGABYTE)
        assert flooder.sent_bytes < 20 * MEGABYTE

    def test_half_sent_ones_end(self, watched):
        with watched.memory_kept(), watched.agent():
            flooders = [Flooder(watched.product) for _ in range(300)]
            for number, flooder in enumerate(flooders):
                flooder.send((b"POST /api/v1/telemetry HTTP/1.1\r\nHost: local", b"G", b"\r\n")[number % 3])
            for flooder in flooders:
                flooder.read_to_the_end()
        statuses = Counter(flooder.answer[9:12] for flooder in flooders)
        # Some gave way to others, which got no answer.
        assert set(statuses) <= {b"408", b""}

    def test_a_connection_that_says_nothing_ends(self, watched):
        assert Flooder(watched.product).read_to_the_end() == b""

    def test_a_connection_that_is_kept_alive_has_no_such_deadline(self, watched):
        """Agents speak every ten seconds or more seldom."""
        flooder = Flooder(watched.product)
        flooder.send(head("/health/live", method="GET"))
        assert flooder.connection.recv(65_536).startswith(b"HTTP/1.1 200")
        assert Flooder(watched.product).read_to_the_end() == b""
        flooder.send(head("/health/live", method="GET"))
        assert flooder.connection.recv(65_536).startswith(b"HTTP/1.1 200")
        flooder.close()

    def test_requests_ahead_of_their_answers_are_few(self, watched):
        flooder = Flooder(watched.product)
        flooder.send(head("/health/ready", method="GET") * 3000)
        assert flooder.read_to_the_end().count(b"HTTP/1.1 200") < 100


class TestGuesses:
    def test_invented_keys_meet_a_limit_and_known_ones_behind_the_same_address_do_not(self, watched):
        watched.statuses.clear()
        with watched.agent():
            transport = httpx.HTTPTransport(local_address="127.0.0.1")
            with httpx.Client(base_url=watched.product.url, transport=transport, timeout=30) as client:
                answers = Counter()
                for number in range(400):
                    headers = {"Authorization": f"Bearer fkd_{number:043}"}
                    paths = ("/api/v1/telemetry", "/api/v1/agent/key", "/otlp/v1/metrics")
                    answers[client.post(paths[number % 3], headers=headers, content=b"{}").status_code] += 1
        assert answers.keys() == {401, 429}
        # Three hundred a minute, of which some are given back meanwhile.
        assert answers[401] < 350

    def test_questions_for_passkeys_meet_a_limit(self, watched):
        transport = httpx.HTTPTransport(local_address="127.0.3.1")
        with httpx.Client(base_url=watched.product.url, transport=transport, timeout=30) as client:
            client.headers["Host"] = "localhost"
            began = time.monotonic()
            asked = [client.post("/api/v1/sign-in/passkey/options").status_code for _ in range(160)]
            seconds = time.monotonic() - began
        assert Counter(asked).keys() == {200, 429}
        with psycopg.connect(watched.product.database_url) as connection:
            row = connection.execute("SELECT count(*) FROM sign_in_challenges").fetchone()
        assert row is not None
        # A hundred and twenty at once, and two more each second.
        assert row[0] <= 125 + 2 * seconds
