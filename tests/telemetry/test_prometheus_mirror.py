"""A real Prometheus writes to the product, and both are asked the same questions over HTTP."""

import json
import math
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fixtures.peers import find_peer, running_peer
from tests.fixtures.product import Product, free_port, own_products, wait_for

# Asked at one moment, and of a range.
QUERIES = (
    "up",
    "node_load1",
    "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes",
    "100 * (1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes) > 0",
    "rate(node_cpu_seconds_total[5s])",
    "sum by (mode) (rate(node_cpu_seconds_total[5s]))",
    "sum without (cpu, mode) (increase(node_cpu_seconds_total[4s]))",
    'avg by (instance, job) (irate(node_cpu_seconds_total{mode!="idle"}[5s]))',
    "topk(3, node_cpu_seconds_total)",
    "count by (job) ({__name__=~'node_network_.*'})",
    "max_over_time(node_load1[6s]) - min_over_time(node_load1[6s])",
    "quantile(0.9, node_filesystem_avail_bytes)",
    "quantile_over_time(0.5, scrape_duration_seconds[6s])",
    "stddev by (device) (node_disk_read_bytes_total)",
    "node_network_receive_bytes_total * on (instance, device) group_left (operstate) node_network_info",
    "label_replace(up, 'host', '$1', 'instance', '(.*):.*')",
    "absent(up{job='other'})",
    "sort_desc(node_filesystem_size_bytes)",
    "histogram_quantile(0.9, sum by (le) (rate(prometheus_http_request_duration_seconds_bucket[6s])))",
    "count_over_time(up[10s])",
    "delta(node_load1[6s])",
    "deriv(node_memory_MemFree_bytes[6s])",
    "predict_linear(node_memory_MemFree_bytes[6s], 60)",
    "changes(node_time_seconds[6s])",
    "resets(node_cpu_seconds_total[6s])",
    "avg_over_time((sum by (mode) (rate(node_cpu_seconds_total[3s])))[4s:1s])",
    "node_load1 offset 2s",
    "timestamp(up)",
    "count_values('value', up)",
    "node_boot_time_seconds and on () (up == 1)",
    "node_load1 or node_load5",
    "node_load1 unless node_load1",
    "bottomk by (mode) (1, node_cpu_seconds_total)",
    "clamp_max(node_load1, 0.5)",
    "round(node_memory_MemFree_bytes, 1000000)",
    "group by (job) (scrape_samples_scraped)",
    "sum(rate(node_cpu_seconds_total[5s])) by (cpu) / on () group_left () count(up)",
    "last_over_time(node_uname_info[5s])",
    "vector(scalar(sum(up)))",
    "ceil(node_load15) ^ 2 % 7",
)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory):
    """The addresses of both, with their headers, and the moment up to which they have the same samples."""
    folder = tmp_path_factory.mktemp("mirror")
    # One of its own: what other senders wrote would be in the answers too.
    with own_products(folder) as make:
        product = make()
        product.start()
        yield from writing(product, folder)


def writing(product: Product, folder: Path):
    """Let a Prometheus write until both have enough."""
    host = f"node-{uuid.uuid4().hex[:8]}"
    exporter_port, port = free_port(), free_port()
    token = product.api_token()
    targets = {"node": exporter_port, "prometheus": port}
    config = {
        "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms"},
        "scrape_configs": [
            {
                "job_name": job,
                "static_configs": [{"targets": [f"127.0.0.1:{at}"], "labels": {"instance": f"{host}:{at}"}}],
            }
            for job, at in targets.items()
        ],
        "remote_write": [
            {
                "url": f"{product.url}/prometheus/api/v1/write",
                "authorization": {"credentials": token},
                "queue_config": {"batch_send_deadline": "200ms"},
            }
        ],
    }
    file = folder / "prometheus.yml"
    # JSON is YAML.
    file.write_text(json.dumps(config))
    exporter = [find_peer("prometheus-node-exporter"), f"--web.listen-address=127.0.0.1:{exporter_port}"]
    prometheus = [
        find_peer("prometheus"),
        f"--config.file={file}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with running_peer(exporter, folder / "exporter.log"), running_peer(prometheus, folder / "log"):
        own = f"{product.url}/prometheus", {"Authorization": f"Bearer {token}"}
        peer = f"http://127.0.0.1:{port}", {}
        selector = f'{{instance=~"{host}:.*"}}'

        def samples(side, at: float) -> dict[str, Any]:
            return dict(answer(side, "query", query=f"{selector}[60s]", time=at))

        def newest() -> float:
            found = answer(peer, "query", query=f'timestamp(up{{instance="{host}:{exporter_port}"}})')
            return float(found[0][1][1]) if found else 0.0

        def scrapes() -> float:
            found = answer(
                peer, "query", query=f'count_over_time(up{{instance="{host}:{exporter_port}"}}[5m])'
            )
            return float(found[0][1][1]) if found else 0.0

        wait_for("thirty scrapes", lambda: scrapes() >= 30, 120)
        until = newest()
        wait_for("the same samples in both", lambda: samples(own, until) == samples(peer, until) != {}, 180)
        yield own, peer, until


def answer(side, form: str, **parameters: Any) -> list[tuple[str, Any]]:
    """Series, each as the text of its labels and its value or values."""
    url, headers = side
    with httpx.Client(trust_env=False, timeout=30, headers=headers) as client:
        try:
            response = client.post(f"{url}/api/v1/{form}", data=parameters)
        except httpx.HTTPError:
            return []
    if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        # It listens before it can answer.
        return []
    data = response.json()
    assert data["status"] == "success", data
    return sorted(
        (json.dumps(item["metric"], sort_keys=True), item.get("value", item.get("values")))
        for item in data["data"]["result"]
    )


def agree(one: list[tuple[str, Any]], other: list[tuple[str, Any]]) -> bool:
    if [labels for labels, _ in one] != [labels for labels, _ in other]:
        return False
    return all(_same(a, b) for (_, a), (_, b) in zip(one, other, strict=True))


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    a, b = float(one), float(other)
    return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12) or (math.isnan(a) and math.isnan(b))


def test_answers_match_query_by_query(pair, capsys):
    own, peer, until = pair
    span = {"start": until - 8, "end": until - 1, "step": 0.5}
    asked, different, empty = 0, [], 0
    for query in QUERIES:
        for form, parameters in (("query", {"time": until - 1}), ("query_range", span)):
            found, wanted = (answer(side, form, query=query, **parameters) for side in (own, peer))
            asked += 1
            empty += not wanted
            if not agree(found, wanted):
                different.append((form, query, found[:2], wanted[:2]))
    with capsys.disabled():
        print(
            f"\n  {asked - len(different)} of {asked} answers match those of the Prometheus that wrote them"
        )
    assert different == []
    # Queries without an answer prove little.
    assert empty <= asked // 10


def test_labels_and_series_are_those_of_the_sender(pair):
    own, peer, _ = pair
    selector = 'up{job="node"}'

    def get(side, path: str) -> Any:
        url, headers = side
        answer = httpx.get(
            f"{url}/api/v1/{path}", params={"match[]": selector}, headers=headers, trust_env=False
        )
        return answer.json()["data"]

    (wanted,) = get(peer, "series")
    assert wanted in get(own, "series")
    assert get(peer, "labels") == get(own, "labels")
    assert wanted["instance"] in get(own, "label/instance/values")
