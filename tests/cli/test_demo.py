"""`fleetkeeper demo supply` on the running product: a depot that every page of supply has something to show of."""

import json

from tests.fixtures.product import Product


def test_the_depot_is_filled_and_its_numbers_agree(product: Product):
    made = product.command("demo", "supply", "--anyway")
    assert made.returncode == 0, made.stderr
    assert "Made 12 parts" in made.stdout
    listed = json.loads(product.command("stock", "list", "--at", "Demo depot", "--json").stdout)
    assert len(listed) == 12
    assert sum(float(one["quantity_on_hand"]) <= float(one["reorder_point"]) for one in listed) >= 2
    with product.client(product.api_token()) as client:
        statuses = {one["status"] for one in client.get("/api/v1/orders").json()["results"]}
        assert {"draft", "ordered", "partly-received"} <= statuses
        assert client.get("/api/v1/requests?type=get_parts").json()["count"] == 6
        assert client.get("/api/v1/work-orders?status=planned").json()["count"] >= 2
    forecast = product.command("stock", "forecast", "RAM-DDR4-16", "--json")
    assert "Too little data" not in forecast.stdout, forecast.stdout
    again = product.command("demo", "supply")
    assert again.returncode == 1
    assert "There are parts already" in again.stderr
