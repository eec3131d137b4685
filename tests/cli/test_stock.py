"""`fleetkeeper part …` and `fleetkeeper stock …` on the running product."""

import json

from tests.fixtures.product import Product


def test_parts_are_made_received_moved_and_fitted(product: Product):
    product.enroll("cli-stock-01")
    with product.client(product.api_token()) as client:
        for name in ("CLI depot", "CLI store"):
            body = {"name": name, "location_type": "depot"}
            assert client.post("/api/v1/locations", json=body).status_code == 201
    made = product.command("part", "create", "CLI-RAM", "Memory", "--component", "memory", "--json")
    assert json.loads(made.stdout)["part_code"] == "CLI-RAM", made.stderr
    assert "CLI-RAM" in product.command("part", "list", "--q", "cli-ram").stdout
    steps = [
        ("receive", "CLI-RAM", "10", "--at", "CLI depot", "--cost", "12.50"),
        ("transfer", "CLI-RAM", "4", "--at", "CLI depot", "--to", "CLI store"),
        ("fit", "CLI-RAM", "1", "--at", "CLI store", "--device", "cli-stock-01"),
        ("adjust", "CLI-RAM", "--by", "-1", "--at", "CLI store", "--reason", "Broken"),
        ("count", "CLI-RAM", "5", "--at", "CLI depot"),
    ]
    for step in steps:
        assert product.command("stock", *step).returncode == 0, step
    listed = json.loads(product.command("stock", "list", "--q", "CLI-RAM", "--json").stdout)
    assert {(one["location_name"], one["quantity_on_hand"]) for one in listed} == {
        ("CLI depot", "5.000"),
        ("CLI store", "2.000"),
    }
    refused = product.command("stock", "issue", "CLI-RAM", "9", "--at", "CLI store", "--reason", "Sold")
    assert refused.returncode == 1
    assert "There is not as much on hand" in refused.stderr
    assert "No location is named Nowhere" in product.command("stock", "list", "--at", "Nowhere").stderr
    assert "consumption" in product.command("stock", "movements", "--q", "CLI-RAM").stdout
    (told,) = json.loads(product.command("stock", "forecast", "CLI-RAM", "--json").stdout)[:1]
    assert told["reasons"][0].startswith("Too little data for a forecast")
    planned = product.command("stock", "propose", "--dry-run", "--json")
    assert "CLI-RAM" not in {one["part_code"] for one in json.loads(planned.stdout)}, planned.stderr
    made = product.command("stock", "propose", "--json")
    assert (made.returncode, "CLI-RAM" in made.stdout) == (0, False), made.stderr
