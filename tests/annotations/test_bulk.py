"""Many devices at once keep to what tags and custom fields allow on each of them."""

import pytest

from tests.annotations.test_fields import SECRET, give, make_field, values_at
from tests.devices.test_bulk import make_devices

BULK = "/api/v1/devices/bulk"


async def change(client, ids, **changes: object) -> dict:
    answer = await client.post(BULK, json={"ids": list(ids), "changes": changes})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def values(client, device: str) -> dict:
    return (await client.get(values_at(device))).json()["values"]


async def test_tags_stop_at_the_bound_of_one_object_and_the_rest_goes_on(app, admin):
    made = await make_devices(app, admin, "full", "empty")
    names = [f"t{number}" for number in range(51)]
    slugs = [(await admin.post("/api/v1/tags", json={"name": one})).json()["slug"] for one in names]
    await change(admin, [made["full"]], add_tags=slugs[:50])
    told = await change(admin, made.values(), add_tags=[slugs[50]])
    outcomes = {one["name"]: (one["outcome"], one["detail"]) for one in told["results"]}
    assert outcomes["empty"] == ("changed", "add tags t50")
    assert outcomes["full"] == ("refused", "One object can have at most 50 tags; remove some first.")
    exchanged = await change(admin, [made["full"]], add_tags=[slugs[50]], remove_tags=[slugs[0]])
    assert exchanged["changed"] == 1


async def test_values_are_set_and_cleared_and_say_what_was(app, admin):
    made = await make_devices(app, admin, "web-1", "web-2")
    await make_field(admin, "Rack")
    await make_field(admin, "Warranty until", kind="date")
    await make_field(admin, "Height", kind="number")
    await make_field(admin, "Leased", kind="boolean")
    await give(admin, made["web-1"], rack="7")
    wanted = {"rack": "8", "warranty_until": "2028-03-31", "height": 2, "leased": "false"}
    told = await change(admin, made.values(), custom_fields=wanted)
    details = {one["name"]: one["detail"] for one in told["results"]}
    assert "Rack: 7 → 8" in details["web-1"]
    assert "Rack: (empty) → 8" in details["web-2"]
    assert "Warranty until: (empty) → 2028-03-31" in details["web-2"]
    for device in made.values():
        assert await values(admin, device) == {
            "rack": "8",
            "warranty_until": "2028-03-31",
            "height": 2,
            "leased": False,
        }
    again = await change(admin, made.values(), custom_fields=wanted)
    assert (again["changed"], again["unchanged"]) == (0, 2)
    await change(admin, made.values(), custom_fields={"rack": None, "leased": ""})
    assert await values(admin, made["web-2"]) == {"warranty_until": "2028-03-31", "height": 2}
    entries = (await admin.get(f"/api/v1/audit?device_id={made['web-1']}&resource_type=custom_values")).json()
    assert "custom_values.delete" in {one["action"] for one in entries["results"]}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("height", "tall", "Must be a number such as 12.5"),
        ("owner", None, "Required, and cannot be cleared"),
        ("code", SECRET, "A sensitive field can only be changed on each object"),
        ("nothing", "x", "There is no such field of this device"),
    ],
)
async def test_each_value_is_checked_by_its_field(app, admin, name, value, message):
    made = await make_devices(app, admin, "web-1")
    await make_field(admin, "Height", kind="number")
    await make_field(admin, "Owner", is_required=True)
    await make_field(admin, "Code", is_sensitive=True)
    body = {"ids": list(made.values()), "changes": {"location": "Hall 1", "custom_fields": {name: value}}}
    answer = await admin.post(BULK, json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0] == {"field": f"custom_fields.{name}", "message": message}
    assert (await admin.get(f"/api/v1/devices/{made['web-1']}")).json()["location"] is None


async def test_a_field_of_a_department_is_for_its_devices(sides):
    south = str(sides.south.department)
    await make_field(sides.south.manager, "Customer", department_id=south)
    both = [sides.north.device, sides.south.device]
    told = await change(sides.admin, both, custom_fields={"customer": "Acme"})
    outcomes = {one["id"]: (one["outcome"], one["detail"]) for one in told["results"]}
    assert outcomes[str(sides.north.device)] == ("refused", "Its department has no field Customer")
    assert outcomes[str(sides.south.device)][0] == "changed"
    assert await values(sides.admin, sides.south.device) == {"customer": "Acme"}
    body = {"ids": list(map(str, both)), "changes": {"custom_fields": {"customer": "Evil"}}}
    assert (await sides.north.manager.post(BULK, json=body)).status_code == 422


async def test_another_department_s_values_stay(sides):
    await make_field(sides.admin, "Rack")
    await give(sides.south.manager, sides.south.device, rack="7")
    both = [sides.north.device, sides.south.device]
    told = await change(sides.north.manager, both, custom_fields={"rack": "8"})
    assert {one["id"]: one["outcome"] for one in told["results"]} == {
        str(sides.north.device): "changed",
        str(sides.south.device): "refused",
    }
    assert await values(sides.south.manager, sides.south.device) == {"rack": "7"}
