"""Which supplier is best for a quantity, explained; and prices with their history."""

from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper.stock.suppliers.choosing import Offer, order_quantity, price_at, ranked
from tests.factories.stock import make_part, post

ID = UUID(int=1)
AMOUNTS = st.decimals(min_value="0.001", max_value="10000", places=3)


def offer(name: str, price: str | None, **more) -> Offer:
    values = {
        "id": ID, "supplier_id": ID, "sku": None, "currency": "EUR", "breaks": (), "pack_size": Decimal(1),
        "least": Decimal(1), "lead_time_days": 5, "lead_time_is_measured": False, "is_preferred": False,
    }  # fmt: skip
    return Offer(supplier_name=name, price=None if price is None else Decimal(price), **(values | more))


class TestChoosing:
    def test_the_cheapest_total_comes_first_and_says_why(self):
        cheap_in_bulk = offer("Bulk", "10", breaks=((Decimal(10), Decimal(6)),), lead_time_days=9)
        found, left_out = ranked([offer("Small", "8"), cheap_in_bulk, offer("Asked", None)], Decimal(10))
        assert [(one.offer.supplier_name, one.total) for one in found] == [("Bulk", 60), ("Small", 80)]
        assert found[0].reasons == (
            "lowest total price",
            "6.00 EUR each from this quantity on, instead of 10.00 EUR",
        )
        assert found[1].reasons == ("20.00 EUR more than the cheapest", "shortest lead time")
        assert left_out == ["Asked: no price"]

    def test_a_preferred_one_comes_first_although_it_costs_more(self):
        found, _ = ranked([offer("A", "1"), offer("B", "2", is_preferred=True)], Decimal(1))
        assert found[0].reasons[:2] == ("preferred", "1.00 EUR more than the cheapest")

    def test_prices_in_another_currency_are_not_compared(self):
        found, left_out = ranked([offer("A", "1"), offer("B", "2", currency="USD")], Decimal(1))
        assert [one.offer.supplier_name for one in found] == ["A"]
        assert left_out == ["B: its price is in USD, not in EUR"]

    @given(wanted=AMOUNTS, pack=AMOUNTS, least=AMOUNTS)
    def test_what_is_ordered_is_enough_and_in_whole_packs(self, wanted, pack, least):
        quantity = order_quantity(wanted, pack, least)
        assert quantity >= wanted
        assert quantity >= least
        assert quantity % pack == 0
        assert quantity - pack < max(wanted, least)

    @given(price=AMOUNTS, breaks=st.lists(st.tuples(AMOUNTS, AMOUNTS), max_size=5), quantity=AMOUNTS)
    def test_more_never_costs_more_each(self, price, breaks, quantity):
        assert price_at(price, breaks, quantity * 2) <= price_at(price, breaks, quantity) <= price


async def test_the_best_supplier_of_a_part(admin):
    part = await make_part(admin)
    slow = await post(admin, "suppliers", name="Slow & cheap", lead_time_days=30)
    quick = await post(admin, "suppliers", name="Quick", lead_time_days=2)
    await post(admin, "part-suppliers", part_id=part, supplier_id=slow["id"], supplier_cost="8", sku="SC-1")
    price = await post(
        admin,
        "part-suppliers",
        part_id=part,
        supplier_id=quick["id"],
        supplier_cost="12",
        pack_size="4",
        price_breaks=[{"quantity": "8", "price": "7.25"}],
    )
    answer = (await admin.get(f"/api/v1/parts/{part}/choice-of-supplier?quantity=6")).json()
    assert [(one["supplier_name"], one["quantity"], one["total_price"]) for one in answer["choices"]] == [
        ("Slow & cheap", "6.000", "48.0000"),
        ("Quick", "8.000", "58.0000"),
    ]
    assert "8 instead of 6: packs of 4" in answer["choices"][1]["reasons"]
    body = {"part_id": part, "supplier_id": quick["id"], "supplier_cost": "5"}
    changed = await admin.put(f"/api/v1/part-suppliers/{price['id']}", json=body)
    assert changed.status_code == 200
    assert (changed.json()["part_code"], changed.json()["supplier_name"]) == ("RAM-16", "Quick")
    history = (await admin.get(f"/api/v1/part-prices?part_id={part}&supplier_id={quick['id']}")).json()
    assert [one["price"] for one in history["results"]] == ["5.0000", "12.0000"]
    twice = await admin.post("/api/v1/part-suppliers", json=body)
    assert twice.status_code == 409


async def test_codes_of_all_kinds_are_found(admin):
    part = await make_part(admin, "RAM-16")
    supplier = await post(admin, "suppliers", name="Quick")
    await post(admin, "part-suppliers", part_id=part, supplier_id=supplier["id"], sku="Q-77")
    variant = await post(admin, "part-variants", part_id=part, variant_code="ECC", attributes={"ecc": True})
    for code in ("RAM-16", f"fleetkeeper:part:{part}", "Q-77", "ECC"):
        answer = await admin.get("/api/v1/parts/scan", params={"code": code})
        assert answer.json()["part"]["id"] == part, code
    assert answer.json()["variant_id"] == variant["id"]
    assert (await admin.get("/api/v1/parts/scan?code=nothing")).status_code == 404
    label = await admin.get(f"/api/v1/parts/{part}/label.svg")
    assert label.headers["content-type"] == "image/svg+xml"
    assert "<svg" in label.text


async def test_what_its_movements_rest_on_stays(admin):
    part = await make_part(admin)
    body = {"part_code": "RAM-16", "name": "Memory", "is_serialized": True}
    assert (await admin.put(f"/api/v1/parts/{part}", json=body)).status_code == 200
    location = await post(admin, "locations", name="Depot", location_type="depot")
    moved = {
        "kind": "receipt",
        "part_id": part,
        "location_id": location["id"],
        "quantity": "1",
        "serials": ["1"],
    }
    await post(admin, "stock-movements", **moved)
    refused = await admin.put(f"/api/v1/parts/{part}", json=body | {"is_serialized": False})
    assert [one["field"] for one in refused.json()["errors"]] == ["is_serialized"]
    gone = await admin.delete(f"/api/v1/parts/{part}", headers={"X-Change-Reason": "Old"})
    assert gone.status_code == 409
    assert "inactive" in gone.text
    gone = await admin.delete(f"/api/v1/locations/{location['id']}", headers={"X-Change-Reason": "Old"})
    assert gone.status_code == 409
    assert "inactive" in gone.text
