"""`fleetkeeper approval …` on the running product, whose worker carries out what was approved."""

import json
from functools import partial

from tests.fixtures.product import Product, wait_for

REASON = {"X-Change-Reason": "It was sold"}


def test_a_deletion_is_approved_and_another_rejected(product: Product):
    with product.client(product.api_token()) as client:
        ann = client.post("/api/v1/users", json={"username": "ann-of-approvals"}).json()
        levels = [{"users": [ann["id"]]}]
        rule = {"name": "Deletions", "kind": "devices.delete", "levels": levels}
        created = client.post("/api/v1/approval-rules", json=rule)
        assert created.status_code == 201, created.text
        (sold, _), (kept, _) = product.enroll("sold-01", "kept-01")
        requests = [
            client.delete(f"/api/v1/devices/{one}", headers=REASON).json()["id"] for one in (sold, kept)
        ]
        decide = partial(product.command, "approval")
        listed = json.loads(decide("list", "--status", "pending", "--json").stdout)
        assert set(requests) <= {one["id"] for one in listed}
        refused = decide("approve", requests[0], "--as", "admin")
        assert refused.returncode == 1
        assert "made this request" in refused.stderr or "no such" in refused.stderr
        approved = decide("approve", requests[0], "--as", "ann-of-approvals", "--json")
        assert json.loads(approved.stdout)["status"] == "approved", approved.stderr
        rejected = decide(
            "reject", requests[1], "--as", "ann-of-approvals", "--comment", "Still used", "--json"
        )
        assert json.loads(rejected.stdout)["status"] == "rejected", rejected.stderr
        wait_for("the device to go", lambda: client.get(f"/api/v1/devices/{sold}").status_code == 404)
        assert client.get(f"/api/v1/devices/{kept}").status_code == 200
        assert json.loads(decide("show", requests[0], "--json").stdout)["status"] == "applied"
        assert "Deletions" in decide("rules").stdout
        assert client.delete(f"/api/v1/approval-rules/{created.json()['id']}").status_code == 204
