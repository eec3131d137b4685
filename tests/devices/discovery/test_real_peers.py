"""A real Prometheus finds its targets here, and the real Ansible its hosts."""

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import httpx
import pytest

from tests.fixtures.peers import find_peer, running_peer
from tests.fixtures.product import free_port, wait_for

EVIL = "{{ lookup('pipe', 'echo executed') }}"


@pytest.fixture
def token(product) -> str:
    return product.api_token()


@pytest.fixture
def name(product, token) -> str:
    """A device whose description of itself is an attack on Ansible."""
    name = f"peer-{uuid.uuid4().hex[:8]}"
    with product.client(token) as client:
        body = {"name": name, "device_type": "storage", "manufacturer": EVIL, "owner": "team-a"}
        client.post("/api/v1/devices", json=body).raise_for_status()
    return name


def test_prometheus_finds_its_targets(product, token, name, tmp_path):
    file, port = tmp_path / "prometheus.yml", free_port()
    config = {
        "scrape_configs": [
            {
                "job_name": "fleet",
                "http_sd_configs": [
                    {
                        "url": f"{product.url}/api/v1/discovery/http-sd?name={name}&port=9182",
                        # Without the type, Prometheus 2.42 sends the credentials alone.
                        "authorization": {"type": "Bearer", "credentials": token},
                        "refresh_interval": "1s",
                    }
                ],
                "relabel_configs": [
                    {"source_labels": ["__meta_fleetkeeper_name"], "target_label": "instance"},
                    {"source_labels": ["__meta_fleetkeeper_type"], "target_label": "type"},
                ],
            }
        ]
    }
    # JSON is YAML.
    file.write_text(json.dumps(config))
    prometheus = [
        find_peer("prometheus"),
        f"--config.file={file}",
        f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]

    def targets() -> list[dict]:
        try:
            answer = httpx.get(f"http://127.0.0.1:{port}/api/v1/targets", timeout=5, trust_env=False)
            return answer.json()["data"]["activeTargets"]
        except (httpx.HTTPError, ValueError):
            return []

    with running_peer(prometheus, tmp_path / "log"):
        (target,) = wait_for("the target", targets, 60)
    assert target["labels"] == {"instance": name, "job": "fleet", "type": "storage"}
    assert target["scrapeUrl"] == f"http://{name}:9182/metrics"
    assert target["discoveredLabels"]["__meta_fleetkeeper_owner"] == "team-a"


@pytest.fixture
def ansible(product, tmp_path):
    """Runs a program of Ansible with the command as its inventory script."""
    script = tmp_path / "fleet.sh"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -m fleetkeeper device inventory "$@"\n')
    script.chmod(0o755)
    environment = product.environment | {
        "HOME": str(tmp_path),
        "ANSIBLE_LOCAL_TEMP": str(tmp_path / "temp"),
        "ANSIBLE_RETRY_FILES_ENABLED": "0",
        "LC_ALL": "C.UTF-8",
    }

    def run(program: str, *arguments: str) -> str:
        path = Path(sys.executable).with_name(program)
        done = subprocess.run(
            [str(path), "-i", str(script), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env={**os.environ, **environment},
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_ansible_lists_hosts_in_groups(ansible, name):
    told = json.loads(ansible("ansible-inventory", "--list"))
    assert name in told["type_storage"]["hosts"]
    assert told["_meta"]["hostvars"][name]["ansible_host"] == name
    assert told["_meta"]["hostvars"][name]["fleetkeeper_owner"] == "team-a"


def test_ansible_runs_nothing_that_a_device_says(ansible, name):
    told = ansible("ansible", name, "-m", "debug", "-a", "msg={{ fleetkeeper_manufacturer }}")
    assert "lookup" in told
    assert '"executed"' not in told


def test_the_command_prints_one_host(product, name):
    told = json.loads(product.command("device", "inventory", "--host", name).stdout)
    assert told["fleetkeeper_name"] == name
    assert json.loads(product.command("device", "inventory", "--host", "none-such").stdout) == {}
    refused = product.command("device", "inventory")
    assert (refused.returncode, "--list" in refused.stderr) == (2, True)
    filtered = product.command("device", "inventory", "--list", "--query", f"name={name}")
    assert json.loads(filtered.stdout)["all"]["hosts"] == [name]
