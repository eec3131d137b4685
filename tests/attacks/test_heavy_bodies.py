"""Bodies of a few kilobytes that are millions of parts, sent with a device's key: refused for little, and in time."""

import gzip
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import httpx
import pytest

from tests.attacks.flooding import Watched, watching
from tests.factories.senders import V2, WRITE, field, headers_of, snappy
from tests.fixtures.product import wait_for

MILLION = 1_000_000
OTLP, PROTOBUF = "/otlp/v1/metrics", {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}
SNAPPY = headers_of()
LINES, FRAMES = "/influx/api/v2/write", "/api/v1/telemetry"


class Heavy(NamedTuple):
    """A body, where it is sent, and what the answer says."""

    path: str
    headers: Mapping[str, str]
    make: Callable[[], bytes]
    status: int
    said: str


def nested(numbers: str, content: bytes) -> bytes:
    """A message in a field of a message, and so on; the innermost field comes last."""
    for number in reversed(numbers.split(".")):
        content = field(int(number), content)
    return content


def frame_of(values: int) -> bytes:
    """A frame of so many values, none of which is a number."""
    return (
        b'{"frames":[{"ts":1,"values":{'
        + b",".join(b'"k%d":"x"' % number for number in range(values))
        + b"}}]}"
    )


HEAVY = {
    "resources": Heavy(OTLP, PROTOBUF, lambda: b"\x0a\x00" * 4 * MILLION, 413, "at most 100000 resources"),
    "metrics": Heavy(
        OTLP, PROTOBUF, lambda: nested("1.2", b"\x12\x00" * 3 * MILLION), 413, "at most 100000 resources"
    ),
    "data points": Heavy(
        OTLP, PROTOBUF, lambda: nested("1.2.2.5", b"\x0a\x00" * 4 * MILLION), 413, "at most 100000 resources"
    ),
    "attributes": Heavy(
        OTLP, PROTOBUF, lambda: nested("1.2.2.5.1", b"\x3a\x00" * 4 * MILLION), 413, "bytes of its own"
    ),
    "resources in JSON": Heavy(
        OTLP,
        JSON,
        lambda: b'{"resourceMetrics":[' + b"1," * 4_000_000 + b"1]}",
        413,
        "at most 1000000 JSON values",
    ),
    "numbers as frames": Heavy(
        FRAMES, JSON, lambda: b'{"frames":[' + b"1," * 16 * MILLION + b"1]}", 422, '"field":"frames[0]"'
    ),
    "values of a frame": Heavy(FRAMES, JSON, lambda: frame_of(600_000), 422, "more than 100000 values"),
    "collectd's lists": Heavy(
        "/collectd", {}, lambda: b"[" + b"{}," * 10 * MILLION + b"{}]", 413, "at most 300000 JSON objects"
    ),
    "collectd's values": Heavy(
        "/collectd", {}, lambda: b"[" + b"[]," * 10 * MILLION + b"{}]", 413, "at most 1500000 JSON values"
    ),
    "series": Heavy(WRITE, SNAPPY, lambda: b"\x0a\x00" * 16 * MILLION, 413, "at most 100000 series"),
    "labels": Heavy(
        WRITE, SNAPPY, lambda: nested("1", b"\x0a\x00" * 15 * MILLION), 413, "at most 1000000 samples"
    ),
    "samples": Heavy(
        WRITE, SNAPPY, lambda: nested("1", b"\x12\x00" * 15 * MILLION), 413, "at most 100000 samples"
    ),
    "metadata": Heavy(WRITE, SNAPPY, lambda: b"\x1a\x00" * 16 * MILLION, 413, "at most 100000 series"),
    "symbols": Heavy(
        WRITE, headers_of(V2), lambda: b"\x22\x00" * 15 * MILLION, 413, "at most 1000000 symbols"
    ),
    "lines that are none": Heavy(LINES, {}, lambda: b"x\n" * 16 * MILLION, 400, "none is stored: line 1"),
    "comments": Heavy(LINES, {}, lambda: b"#\n" * 16 * MILLION, 413, "at most 1000000 lines"),
    "tags": Heavy(LINES, {}, lambda: b"m" + b",a=b" * 8 * MILLION + b" v=1", 400, "commas, blanks, quotes"),
    "backslashes": Heavy(
        LINES, {}, lambda: b'm v="' + b"\\\\" * 16 * MILLION + b'"', 400, "commas, blanks, quotes"
    ),
    "series of version 2": Heavy(
        WRITE, headers_of(V2), lambda: b"\x2a\x00" * 15 * MILLION, 413, "at most 100000 series"
    ),
}


@pytest.fixture(scope="module")
def watched(tmp_path_factory) -> Iterator[Watched]:
    with watching(tmp_path_factory.mktemp("heavy") / "home", {}) as watched:
        yield watched


@pytest.mark.parametrize("name", HEAVY)
def test_a_body_of_very_many_parts_is_refused_for_little(watched, name):
    heavy = HEAVY[name]
    headers, body = {"Content-Encoding": "gzip", **heavy.headers}, heavy.make()
    body = gzip.compress(body, 9) if headers["Content-Encoding"] == "gzip" else snappy(body)
    assert len(body) < 4 * MILLION
    with (
        watched.memory_kept(200),
        watched.processor_kept(4),
        watched.agent(),
        watched.product.client(watched.key) as client,
    ):
        answer = client.post(heavy.path, headers=headers, content=body, timeout=120)
    assert answer.status_code == heavy.status
    assert heavy.said in answer.text


def test_reading_ends_when_its_sender_goes(watched):
    body = gzip.compress(b"m,host=flooded-01 " + b'v="",' * 5 * MILLION + b"w=1", 9)
    before = len(watched.product.output)
    with watched.processor_kept(3), watched.product.client(watched.key) as client:
        with pytest.raises(httpx.ReadTimeout):
            client.post(LINES, headers={"Content-Encoding": "gzip"}, content=body, timeout=0.1)
        with watched.product.client(watched.product.api_token()) as operator:
            wait_for(
                "the end of reading",
                lambda: (
                    'requests_refused_total{protocol="influx",reason="gone"} 1'
                    in operator.get("/metrics").text
                ),
            )
    assert "Traceback" not in watched.product.output[before:]


def requests_of_lines(operator: httpx.Client) -> int:
    found = re.search(r'sender_requests_total\{protocol="influx"\} (\d+)', operator.get("/metrics").text)
    return int(found[1]) if found else 0


def test_who_sends_heavy_bodies_does_not_hold_up_other_senders(watched):
    """All of the readers' time is taken by one device's key; another's body is read before any of these."""
    ((_, key),) = watched.product.enroll("other-01")
    heavy = gzip.compress(b'm,host=flooded-01 v=""\n' * 300_000, 9)
    other = b"".join(b"m,host=other-01,n=%d v=1\n" % number for number in range(1500))
    ended = []
    with watched.product.client(watched.product.api_token()) as operator:
        before = requests_of_lines(operator)

    def flood() -> None:
        with watched.product.client(watched.key) as client:
            client.post(LINES, headers={"Content-Encoding": "gzip"}, content=heavy, timeout=120)
            ended.append(True)

    flooders = [threading.Thread(target=flood) for _ in range(4)]
    for flooder in flooders:
        flooder.start()
    with watched.product.client(watched.product.api_token()) as operator:
        wait_for("all of them", lambda: requests_of_lines(operator) == before + len(flooders))
    with watched.product.client(key) as client:
        assert client.post(LINES, content=other, timeout=120).status_code == 204
    assert len(ended) < 3
    for flooder in flooders:
        flooder.join()
