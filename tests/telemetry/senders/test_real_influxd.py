"""Lines with all kinds of escapes, as the real influxd reads them: the same measurements, tags and fields."""

import httpx
import pytest

from fleetkeeper.telemetry.senders.batches import SeriesCache
from fleetkeeper.telemetry.senders.effort import Effort
from fleetkeeper.telemetry.senders.line_protocol import read_lines
from tests.fixtures.peers import find_peer, running_peer
from tests.fixtures.product import free_port, wait_for

LINES = [
    r"m,t=C:\\Users\\x v=1",
    r"m,t=C:\Users\x v=1",
    r"m,t=a\\,u=b v=1",
    r"m,t=a\ b v=1",
    r"m,t=a\=b,u=c v=1",
    r"m,t=a=b v=1",
    r"m,t\,x=1 v=1",
    r"m,t\ x=1 v=1",
    r"m,t\=x=1 v=1",
    r"m\,x,t=1 v=1",
    r"m\ x,t=1 v=1",
    r"m\=x,t=1 v=1",
    r"m=x,t=1 v=1",
    r"m\\x,t=1 v=1",
    r"m\"x,t=1 v=1",
    r"m,t=1 v\ x=1",
    r"m,t=1 v\,x=1",
    r"m,t=1 v\=x=1",
    r"m,t=1 v\x=1",
    r"m,t=1 v\\x=1",
    r'm,t="a v=1',
    r'm,t="a\ b" v=1',
    r"m,t=a\"b v=1",
    r"m,t=\a\b v=1",
    r"m,t=\\\\ v=1",
    r"m,t=é\ ü v=1",
    r'm,t=1 s="x y, z=\" \\",v=1',
    r"m,t= v=1",
    r"m,=x v=1",
    r"m,t v=1",
    r"m, v=1",
    r"m,t=1",
]
CONFIG = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
[http]
bind-address = "127.0.0.1:{port}"
[monitor]
store-enabled = false
"""
Kept = set[tuple[str, tuple[tuple[str, str], ...]]]


@pytest.fixture(scope="module")
def influxd(tmp_path_factory):
    folder, port = tmp_path_factory.mktemp("influxd"), free_port()
    config = folder / "influxdb.conf"
    config.write_text(CONFIG.format(folder=folder, port=port, rpc=free_port()))
    with (
        running_peer([find_peer("influxd"), "run", "-config", str(config)], folder / "log"),
        httpx.Client(base_url=f"http://127.0.0.1:{port}") as client,
    ):

        def is_up() -> bool:
            try:
                return client.get("/ping").status_code == 204
            except httpx.TransportError:
                return False

        wait_for("influxd", is_up)
        yield client


def kept_by_influxd(client: httpx.Client, line: str, number: int) -> Kept:
    client.post("/query", params={"q": f"CREATE DATABASE d{number}"}).raise_for_status()
    client.post("/write", params={"db": f"d{number}"}, content=f"{line} 1000".encode())
    answer = client.get("/query", params={"db": f"d{number}", "q": "SELECT * FROM /.*/ GROUP BY *"}).json()
    kept: Kept = set()
    for series in answer["results"][0].get("series", ()):
        tags = tuple(sorted((series.get("tags") or {}).items()))
        for column, value in zip(series["columns"], series["values"][0], strict=True):
            if column != "time" and isinstance(value, int | float):
                kept.add((f"{series['name']}_{column}", tags))
    return kept


def kept_here(line: str) -> Kept:
    batch = read_lines(f"{line} 1000".encode(), SeriesCache(), precision="ns", now_us=1, effort=Effort(100))
    return {
        (one.labels["__name__"], tuple(sorted((one.origin or {}).items())))
        for one in batch.series
        if one.reason is None and one.labels is not None
    }


@pytest.mark.parametrize("line", LINES)
def test_both_keep_the_same(influxd, line):
    assert kept_here(line) == kept_by_influxd(influxd, line, LINES.index(line))
