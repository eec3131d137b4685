"""`fleetkeeper job …`, as an administrator types it."""

import json


def test_a_job_runs_to_its_end_and_is_listed(product):
    outcome = product.command("job", "run", "telemetry.measure_space", "--wait", "--json")
    assert outcome.returncode == 0, outcome.stderr
    run = json.loads(outcome.stdout)
    assert (run["state"], run["title"]) == ("done", "Measure storage")
    listed = json.loads(product.command("job", "runs", "--job", "telemetry.measure_space", "--json").stdout)
    assert run["id"] in {one["id"] for one in listed}
    assert run["id"] in product.command("job", "runs").stdout
    assert json.loads(product.command("job", "show", run["id"][:-1], "--json").stdout)["id"] == run["id"]
    shown = json.loads(product.command("job", "show", run["id"], "--json").stdout)
    assert shown["outcome"]["measured_at"]
    refused = product.command("job", "cancel", run["id"])
    assert refused.returncode == 1
    assert "already finished" in refused.stderr
    names = {one["name"] for one in json.loads(product.command("job", "list", "--json").stdout)}
    assert {"telemetry.seal", "audit.verify", "telemetry.retain"} <= names


def test_an_unknown_job_and_one_that_runs_by_itself(product):
    assert "no such job" in product.command("job", "run", "nothing.at_all").stderr
    assert "by itself" in product.command("job", "run", "telemetry.seal").stderr
