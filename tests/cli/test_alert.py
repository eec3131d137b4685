"""`fleetkeeper alert|rule|silence …` on the running product."""

import json
from functools import partial
from pathlib import Path

from tests.fixtures.product import Product, wait_for


def test_a_rule_from_a_file_is_listed_disabled_and_deleted(product: Product, tmp_path: Path):
    rule = partial(product.command, "rule")
    given = {"name": "Of a file", "condition": {"kind": "promql", "expr": "vector(1)"}, "interval_seconds": 5}
    file = tmp_path / "rule.json"
    file.write_text(json.dumps(given))
    made = rule("apply", str(file), "--json")
    assert json.loads(made.stdout)["origin"] == "person", made.stderr
    shown = json.loads(rule("show", "Of a file", "--json").stdout)
    assert shown["condition"]["expr"] == "vector(1)"
    file.write_text(json.dumps(shown | {"severity": "critical"}))
    assert json.loads(rule("apply", str(file), "--json").stdout)["severity"] == "critical"
    names = {one["name"] for one in json.loads(rule("list", "--json").stdout)}
    assert {"Of a file", "Device offline", "Disk nearly full"} <= names
    assert "is disabled" in rule("disable", "Of a file").stdout
    assert rule("delete", "Of a file", "--yes").returncode == 0
    assert rule("show", "Of a file").returncode == 1
    file.write_text('{"name": "x"}')
    assert "condition" in rule("apply", str(file)).stderr


def test_a_rule_is_overridden_for_a_tag(product: Product):
    rule = partial(product.command, "rule")
    product.command("tag", "create", "Storage")
    override = partial(rule, "override", "Disk nearly full", "--tag", "storage")
    assert "threshold 95 instead of 90" in override("--threshold", "95").stdout
    assert "pending period 10m" in override("--for", "10m").stdout
    assert "--for is a duration" in override("--for", "soon").stderr
    assert ": off." in override("--off").stdout
    assert "as the rule says" in override("--remove").stdout
    assert override("--remove").returncode == 1


def test_a_prometheus_file_is_imported_and_written(product: Product, tmp_path: Path):
    rule = partial(product.command, "rule")
    file = tmp_path / "node.yml"
    file.write_text("groups: [{name: g, interval: 30s, rules: [{alert: Off, expr: up == 0, for: 5m}]}]")
    assert "created   g: Off" in rule("import", str(file), "--dry-run").stdout
    assert rule("export", "--file", "node.yml").returncode == 1
    (done,) = json.loads(rule("import", str(file), "--json").stdout)
    assert (done["created"], done["dry_run"]) == (1, False)
    assert "for: 5m" in rule("export", "--file", "node.yml").stdout
    file.write_text("groups: []")
    assert "removed   g: Off" in rule("import", str(file)).stdout
    file.write_text("groups: [{name: g, rules: [{alert: Off, expr: 'up{'}]}]")
    assert "Line 1, group 'g', rule 'Off', expr" in rule("import", str(file)).stderr
    missing = tmp_path / "missing.yml"
    assert rule("import", str(missing)).stderr.endswith(
        f"{missing} cannot be read: No such file or directory\n"
    )


def test_an_alert_is_acknowledged_and_a_silence_expired(product: Product, tmp_path: Path):
    file = tmp_path / "rule.json"
    file.write_text(
        json.dumps(
            {"name": "Always", "condition": {"kind": "promql", "expr": "vector(7)"}, "interval_seconds": 5}
        )
    )
    assert product.command("rule", "apply", str(file)).returncode == 0
    alert = partial(product.command, "alert")

    def fires() -> list[dict[str, object]]:
        return json.loads(alert("list", "--query", "Always", "--json").stdout)

    (found,) = wait_for("an alert", fires)
    number = str(found["alert_id"])
    assert "1 alerts changed" in alert("acknowledge", number, "--note", "seen").stdout
    told = json.loads(alert("show", number, "--json").stdout)
    assert (told["status"], told["events"][-1]["note"]) == ("acknowledged", "seen")
    assert alert("acknowledge").returncode == 1
    assert alert("resolve", "999999").returncode == 1
    silence = partial(product.command, "silence")
    made = json.loads(silence("add", "Upgrade", "--matchers", "alertname=Always", "--json").stdout)
    assert made["id"] in silence("list").stdout
    assert product.command("tag", "create", "Lab").returncode == 0
    later = silence(
        "add",
        "Later",
        "--tag",
        "lab",
        "--start",
        "2099-12-01T22:00",
        "--time-zone",
        "Europe/Berlin",
        "--json",
    )
    planned = json.loads(later.stdout)
    assert (planned["starts_at"], planned["ends_at"]) == ("2099-12-01T21:00:00Z", "2099-12-01T22:00:00Z")
    assert planned["tag_id"]
    assert "--start is a time" in silence("add", "Never", "--tag", "lab", "--start", "soon").stderr
    assert "department" in silence("add", "Nowhere", "--department", "nothing").stderr
    assert "tag lab" in silence("list").stdout
    refused = silence("add", "Everything").stderr
    assert "Choose a device, tag or department" in refused
    assert "body" not in refused
    assert "`fleetkeeper silence list`" in silence("expire", "Nothing").stderr
    assert silence("expire", "Upgrade").returncode == 0
    assert made["id"] not in silence("list").stdout
    assert silence("expire", planned["id"]).returncode == 0
    assert product.command("rule", "delete", "Always", "--yes").returncode == 0
    assert json.loads(alert("show", number, "--json").stdout)["resolution"] == "rule_deleted"


def test_a_folder_is_synced_at_once(product: Product, tmp_path: Path):
    def sync(*options: str):
        return product.command("rule", "sync", *options, FLEETKEEPER_ALERTS__RULE_FILES=str(tmp_path))

    file = tmp_path / "synced.yml"
    file.write_text("groups: [{name: g, rules: [{alert: Off, expr: up == 0}]}]")
    assert "created   g: Off" in sync("--dry-run").stdout
    (done,) = json.loads(sync("--json").stdout)
    assert (done["file"], done["created"], done["error"]) == ("synced.yml", 1, "")
    file.write_text("groups: [{name: g, rules: [{alert: Off}]}]")
    broken = sync()
    assert (broken.returncode, "Line 1, group 'g', rule 'Off', expr" in broken.stderr) == (1, True)
    file.write_text("groups: []")
    assert "removed   g: Off" in sync().stdout
    assert "FLEETKEEPER_ALERTS__RULE_FILES" in product.command("rule", "sync").stderr
