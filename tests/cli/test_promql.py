"""`fleetkeeper promql`: what scripts and people at the terminal ask."""

import json

from tests.cli.test_administration import refused, run


def test_numbers_and_texts(product):
    assert "2" in run(product, "promql", "1 + 1").stdout
    assert run(product, "promql", "'text'").stdout == "text\n"
    data = json.loads(run(product, "promql", "vector(7)", "--at", "1700000000", "--json").stdout)
    assert data == {"resultType": "vector", "result": [{"metric": {}, "value": [1700000000, "7"]}]}


def test_range(product):
    span = ("--from", "1700000000", "--to", "1700000060", "--step", "30s")
    data = json.loads(run(product, "promql", "time() - 1700000000", *span, "--json").stdout)
    assert data["result"][0]["values"] == [[1700000000, "0"], [1700000030, "30"], [1700000060, "60"]]
    table = run(product, "promql", "vector(3)", "--last", "1h").stdout
    assert "Points" in table
    assert "61" in table


TWO = "(vector(1) or label_replace(vector(2), 'a', 'b', '', ''))"


def test_wrong_queries_are_one_sentence(product):
    assert "parse error" in refused(product, "promql", "sum(")
    assert "many-to-many" in refused(product, "promql", f"{TWO} + on () {TWO}")
    assert "must be later than" in refused(product, "promql", "1", "--from", "5", "--to", "5")
