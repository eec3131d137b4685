"""`fleetkeeper sender`: rules and hosts at the terminal."""

from uuid import uuid4

import psycopg

from tests.cli.test_administration import read, refused, run


def test_the_life_of_a_rule(product):
    count = len(read(product, "sender", "rules", "list"))
    made = read(product, "sender", "rules", "add", "--label", "box", "--pattern", "^box-(.+)$")
    assert (made["position"], made["protocol"]) == (count + 1, "any")
    changed = read(product, "sender", "rules", "change", str(count + 1), "--disable", "--to", "1")
    assert (changed["position"], changed["enabled"], changed["labels"]) == (1, False, ["box"])
    assert "box" in run(product, "sender", "rules", "list").stdout
    run(product, "sender", "rules", "delete", "1")
    assert len(read(product, "sender", "rules", "list")) == count
    assert "RE2" in refused(product, "sender", "rules", "add", "--label", "a", "--pattern", "(")
    assert "no rule at position" in refused(product, "sender", "rules", "delete", "99")


def test_a_host_is_found_entered_moved_and_forgotten(product):
    first, second, host = (f"t{uuid4().hex[:12]}" for _ in range(3))
    product.enroll(first, second)
    tried = read(product, "sender", "rules", "try", f"instance={first}:9100")
    assert (tried["outcome"], tried["device_name"], tried["host"]) == ("known", first, first)
    assert read(product, "sender", "hosts", "add", host, first)["device_name"] == first
    assert (
        read(product, "sender", "rules", "try", f"host={host}", "--protocol", "influx")["outcome"] == "known"
    )
    assert read(product, "sender", "hosts", "move", host, second)["device_name"] == second
    (listed,) = read(product, "sender", "hosts", "list", "--q", host)
    assert (listed["host"], listed["device_name"]) == (host, second)
    run(product, "sender", "hosts", "forget", host)
    assert read(product, "sender", "hosts", "list", "--q", host) == []
    assert "There is no device 'nobody'" in refused(product, "sender", "hosts", "add", host, "nobody")


def test_refused_samples_are_listed_with_an_example(product):
    example = f"t{uuid4().hex[:12]}"
    with psycopg.connect(product.database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO refused_samples (protocol, reason, samples, first_seen, last_seen, sentence, example) "
            "VALUES ('otlp', 'time', 3, now(), now(), 'too old', %s) "
            "ON CONFLICT (department_id, protocol, reason) DO UPDATE SET example = excluded.example",
            (example,),
        )
    (listed,) = read(product, "sender", "refused", "--q", example)
    assert (listed["protocol"], listed["reason"], listed["example"]) == ("otlp", "time", example)
    assert "Set the clock" in listed["cure"]
    assert read(product, "sender", "refused", "--q", uuid4().hex) == []
