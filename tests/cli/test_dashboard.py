"""`fleetkeeper dashboard`: lists, files, and what is refused."""

import json

from tests.cli.test_administration import read, refused, run
from tests.factories.dashboards import a_definition, a_panel, fleet_query


def test_the_life_of_a_dashboard(product, tmp_path):
    built_in = read(product, "dashboard", "list", "--built-in")
    assert {item["default_for"] for item in built_in} >= {"fleet", "server", "vehicle"}
    file = tmp_path / "servers.json"
    run(product, "dashboard", "export", "built-in-server", "--to", str(file))
    document = json.loads(file.read_text())
    assert (document["format"], document["slug"]) == ("fleetkeeper-dashboard", None)
    file.write_text(json.dumps(document | {"slug": "cli-servers", "name": "By command"}))
    made = read(product, "dashboard", "import", str(file))
    assert (made["slug"], made["visibility"], made["version"]) == ("cli-servers", "everyone", 1)
    assert read(product, "dashboard", "import", str(file), "--replace")["version"] == 2
    (listed,) = read(product, "dashboard", "list", "--q", "By command")
    assert (listed["slug"], listed["panels"]) == ("cli-servers", made["panels"])
    shown = run(product, "dashboard", "show", "cli-servers").stdout
    assert "CPU by device (line, 6 of 12)" in shown
    assert read(product, "dashboard", "show", "cli-servers")["definition"] == made["definition"]
    run(product, "dashboard", "delete", "cli-servers", "--yes")
    assert "no such dashboard" in refused(product, "dashboard", "show", "cli-servers")


def test_faults_are_told_at_their_place(product, tmp_path):
    file = tmp_path / "wrong.json"
    file.write_text(json.dumps({"name": "x", "definition": a_definition(a_panel(fleet_query(agg="no")))}))
    assert "rows[0].panels[0].queries[0].agg" in refused(product, "dashboard", "import", str(file))
    file.write_text("{")
    assert "Must be JSON" in refused(product, "dashboard", "import", str(file))
    file.write_text("[]")
    assert "one JSON object" in refused(product, "dashboard", "import", str(file))
    assert "Duplicate it" in refused(product, "dashboard", "delete", "built-in-fleet", "--yes")
