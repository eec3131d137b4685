"""A real Prometheus delivers its alerts here, and amtool looks at them and silences them."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.fixtures.peers import find_peer, running_peer
from tests.fixtures.product import free_port, wait_for

API = "/alertmanager/api/v2"


@pytest.fixture
def token(product) -> str:
    return product.api_token()


@pytest.fixture
def client(product, token):
    with product.client(token) as opened:
        yield opened


def open_alerts(client, name: str) -> list[dict]:
    answer = client.get(f"{API}/alerts", params={"filter": f'alertname="{name}"'})
    return answer.raise_for_status().json()


def write_rules(file: Path, *rules: dict) -> None:
    # JSON is YAML.
    file.write_text(json.dumps({"groups": [{"name": "own", "interval": "1s", "rules": list(rules)}]}))


class TestPrometheus:
    def test_alert_arrives_and_ends_with_its_rule(self, product, token, client, tmp_path):
        rules, file, port = tmp_path / "rules.yml", tmp_path / "prometheus.yml", free_port()
        labels = {"severity": "page", "team": "ops"}
        write_rules(
            rules,
            {
                "alert": "AlwaysTrue",
                "expr": "vector(1) == on() vector(1)",
                "labels": labels,
                "annotations": {"summary": "value {{ $value }}"},
            },
        )
        config = {
            "global": {"evaluation_interval": "1s"},
            "rule_files": [str(rules)],
            "alerting": {
                "alertmanagers": [
                    {
                        "scheme": "http",
                        "path_prefix": "/alertmanager",
                        "api_version": "v2",
                        "authorization": {"credentials": token},
                        "static_configs": [{"targets": [product.url.removeprefix("http://")]}],
                    }
                ]
            },
        }
        file.write_text(json.dumps(config))
        prometheus = [
            find_peer("prometheus"),
            f"--config.file={file}",
            f"--storage.tsdb.path={tmp_path / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--rules.alert.resend-delay=1s",
        ]
        with running_peer(prometheus, tmp_path / "log") as process:
            (alert,) = wait_for("the alert", lambda: open_alerts(client, "AlwaysTrue"), 60)
            assert alert["labels"] == {"alertname": "AlwaysTrue"} | labels
            assert alert["annotations"] == {"summary": "value 1"}
            assert f":{port}/graph" in alert["generatorURL"]
            write_rules(rules, {"alert": "AlwaysTrue", "expr": "vector(1) == 2", "labels": labels})
            process.send_signal(1)
            wait_for("its end", lambda: not open_alerts(client, "AlwaysTrue"), 60)


class TestAmtool:
    @pytest.fixture
    def amtool(self, product, token, tmp_path):
        file = tmp_path / "http.yml"
        file.write_text(json.dumps({"authorization": {"credentials": token}}))

        def run(*arguments: str) -> str:
            done = subprocess.run(
                [
                    find_peer("amtool"),
                    f"--alertmanager.url={product.url}/alertmanager",
                    f"--http.config.file={file}",
                    *arguments,
                ],
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout

        return run

    def test_alerts_are_added_and_listed(self, amtool):
        amtool("alert", "add", "FromAmtool", "severity=critical", "--annotation=summary=by hand")
        (alert,) = json.loads(amtool("alert", "query", "-u", "-a", "-o", "json", "alertname=FromAmtool"))
        assert alert["labels"] == {"alertname": "FromAmtool", "severity": "critical"}
        assert alert["annotations"] == {"summary": "by hand"}

    def test_silence_is_added_queried_and_expired(self, amtool):
        key = amtool("silence", "add", "alertname=Noise", "--comment=Quiet", "--duration=1h").strip()
        (told,) = json.loads(amtool("silence", "query", "-o", "json", "alertname=Noise"))
        assert (told["id"], told["status"]["state"], told["comment"]) == (key, "active", "Quiet")
        amtool("silence", "expire", key)
        assert json.loads(amtool("silence", "query", "-o", "json", "alertname=Noise")) == []
        (over,) = json.loads(amtool("silence", "query", "--expired", "-o", "json", "alertname=Noise"))
        assert over["status"]["state"] == "expired"
