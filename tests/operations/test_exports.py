"""Each list that people see can be had as a file, by those who may see it."""

import csv
import io

import pytest

EXPORTS = (
    "agents",
    "approvals",
    "custom-fields",
    "dashboards",
    "departments",
    "devices",
    "enrollment-tokens",
    "groups",
    "identity-providers",
    "jobs/runs",
    "roles",
    "tags",
    "tokens",
    "users",
)


@pytest.mark.parametrize("path", EXPORTS)
async def test_a_list_as_a_file(admin, device, path):
    listed = (await admin.get(f"/api/v1/{path}")).json()
    answer = await admin.get(f"/api/v1/{path}/export")
    assert answer.status_code == 200, answer.text
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == listed["count"]
    if rows:
        assert rows[0].keys() >= listed["results"][0].keys() - {"custom_fields"}
    entries = (await admin.get("/api/v1/audit", params={"action__contains": ".export"})).json()
    assert entries["count"] == 1


@pytest.mark.parametrize("path", ["users", "tokens", "enrollment-tokens", "approvals"])
async def test_not_for_those_who_may_not_see_the_list(app, viewer, path):
    assert (await viewer.get(f"/api/v1/{path}/export")).status_code == 403
