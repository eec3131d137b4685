"""Each list in each order that it offers: rows without a value stand at an end, and paging goes past them."""

import re

import pytest

from tests.factories.devices import enter
from tests.factories.stock import make_location, make_part, post


def list_paths(app) -> list[str]:
    """Every list of the API that asks for no more than paging."""
    found = []
    for path, verbs in app.asgi.app.app.openapi()["paths"].items():
        parameters = {one["name"]: one for one in verbs.get("get", {}).get("parameters", [])}
        is_plain = path.startswith("/api/v1/") and "{" not in path and not path.endswith("/export")
        if (
            "ordering" in parameters
            and is_plain
            and not any(one.get("required") for one in parameters.values())
        ):
            found.append(path)
    return found


async def orderings_of(client, path: str) -> list[str]:
    """What a list can be ordered by, as it says when asked for something else."""
    refused = await client.get(path, params={"ordering": "nothing"})
    assert refused.status_code == 422, (path, refused.text)
    told = next(one["message"] for one in refused.json()["errors"] if one["field"] == "ordering")
    return re.findall(r"\w+", told.removeprefix("one of"))


@pytest.fixture
async def rows(admin) -> None:
    """Two rows of what has moments that may be missing, with none of them given."""
    supplier, depot = (await post(admin, "suppliers", name="Nordic"))["id"], await make_location(admin)
    part = await make_part(admin)
    for name in ("db-01", "db-02"):
        device = await enter(admin, name)
        await post(admin, "orders", supplier_id=supplier, deliver_to_id=depot)
        planned = {"title": "Fit", "device_id": device, "part_id": part, "location_id": depot}
        await post(admin, "work-orders", **planned)
        await post(admin, "hardware-components", device_id=device, kind="disk", slot="1", name=name)


async def test_each_list_pages_in_each_order(app, admin, rows):
    del rows
    asked = 0
    for path in list_paths(app):
        names = await orderings_of(admin, path)
        for ordering in (*names, *(f"-{name}" for name in names)):
            first = await admin.get(path, params={"limit": "1", "ordering": ordering})
            assert first.status_code == 200, (path, ordering, first.text)
            following = first.json().get("next")
            if following:
                second = await admin.get(following if following.startswith("/") else f"{path}?{following}")
                assert second.status_code == 200, (path, ordering, second.text)
                asked += 1
    assert asked > 20
