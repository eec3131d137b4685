"""The API's description has what each list can be asked for."""

import pytest

from fleetkeeper.devices.queries import LISTING


@pytest.fixture
async def paths(shared) -> dict:
    return (await shared.admin.get("/api/v1/openapi.json")).json()["paths"]


async def test_a_list_has_its_filters_search_and_orderings(paths):
    described = {one["name"]: one for one in paths["/api/v1/devices"]["get"]["parameters"]}
    assert described.keys() >= {"q", "ordering", "limit", "cursor", *LISTING.fields}
    assert "name__contains" in described["name"]["description"]
    assert "cpu_percent" in described["ordering"]["description"]
    assert described["limit"]["schema"]["maximum"] == 1000


async def test_each_list_is_described(paths):
    lists = [
        (path, operations["get"])
        for path, operations in paths.items()
        if "get" in operations
        and {"cursor"} <= {one["name"] for one in operations["get"].get("parameters", ())}
    ]
    assert len(lists) > 25
    for path, operation in lists:
        named = {one["name"] for one in operation["parameters"]}
        assert "ordering" in named, path


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "password=1", "ordering=password"])
async def test_what_there_is_not_is_refused(shared, query):
    answer = await shared.admin.get(f"/api/v1/devices?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].endswith(query.partition("=")[0])
