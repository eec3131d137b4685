"""`fleetkeeper tag …` on the running product."""

import json
from functools import partial

from tests.fixtures.product import Product


def test_a_tag_is_made_assigned_by_a_filter_and_deleted(product: Product):
    product.enroll("cli-tag-01", "cli-tag-02")
    tag = partial(product.command, "tag")
    made = tag("create", "Of the command", "--color", "teal", "--json")
    assert json.loads(made.stdout)["slug"] == "of-the-command", made.stderr
    assert tag("create", "Other", "--color", "pink").returncode == 1
    preview = tag("assign", "of-the-command", "--matching", "q=cli-tag", "--dry-run")
    assert preview.stdout.startswith("2 devices would change"), preview.stderr
    assert tag("assign", "of-the-command", "--device", "cli-tag-01").stdout.startswith("1 devices changed")
    rest = tag("assign", "of-the-command", "--matching", "q=cli-tag", "--json")
    assert (json.loads(rest.stdout)["changed"], json.loads(rest.stdout)["unchanged"]) == (1, 1)
    gone = tag("remove", "of-the-command", "--matching", "tag=of-the-command")
    assert gone.stdout.startswith("2 devices changed"), gone.stderr
    assert tag("assign", "of-the-command").returncode == 1
    assert tag("assign", "none", "--device", "cli-tag-01").returncode == 1
    changed = tag("update", "of-the-command", "--name", "Command", "--json")
    assert json.loads(changed.stdout)["slug"] == "of-the-command"
    assert "of-the-command" in tag("list").stdout
    assert tag("delete", "of-the-command", "--yes").returncode == 0
    assert tag("update", "of-the-command", "--name", "x").returncode == 1
