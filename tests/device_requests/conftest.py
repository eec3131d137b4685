"""A device that submits, and those who answer."""

from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.fixtures.client import EnrolledDevice, RunningApp
from tests.fixtures.jobs import run_job


@dataclass
class Desk:
    """What tests do with requests, by the doors."""

    app: RunningApp
    settings: Any
    admin: httpx.AsyncClient
    device: EnrolledDevice
    leases: dict[str, str] = field(default_factory=dict)

    async def submit(self, name: str = "get_parts", /, **payload: Any) -> str:
        body = {"type": name, "payload": payload}
        answer = await self.device.client.post("/api/v1/requests", json=body)
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()["id"]

    async def handler(self, **values: Any) -> dict[str, Any]:
        body = {"name": "Helpers", "kind": "agent"} | values
        answer = await self.admin.post("/api/v1/request-handlers", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def lease(self, handler: str = "Helpers", **more: Any) -> list[dict[str, Any]]:
        answer = await self.admin.post("/api/v1/requests/lease", json={"handler": handler} | more)
        assert answer.status_code == 200, answer.text
        for one in answer.json()["requests"]:
            self.leases[one["id"]] = one["lease_token"]
        return answer.json()["requests"]

    async def act(self, request: str, verb: str, **body: Any) -> httpx.Response:
        """Do something with a request by the lease that was had last."""
        body = {"lease_token": self.leases[request]} | body
        return await self.admin.post(f"/api/v1/requests/{request}/{verb}", json=body)

    async def answer(self, request: str, **more: Any) -> httpx.Response:
        return await self.act(request, "answer", **({"content": {"parts": []}} | more))

    async def decide(self, request: str, confidence: float, **more: Any) -> dict[str, Any]:
        body = {
            "request_id": request,
            "agent_name": "Finder",
            "decision_type": "selection",
            "decision_value": "DDR4",
            "confidence_score": confidence,
        }
        answer = await self.admin.post("/api/v1/agent-decisions", json=body | more)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def get(self, request: str) -> dict[str, Any]:
        answer = await self.admin.get(f"/api/v1/requests/{request}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def poll(self, request: str, etag: str = "", **query: Any) -> httpx.Response:
        headers = {"If-None-Match": etag} if etag else {}
        path = f"/api/v1/requests/{request}/response"
        return await self.device.client.get(path, params=query, headers=headers)

    async def run(self, job: str) -> None:
        await run_job(self.app, self.settings, f"device_requests.{job}")

    async def configure(self, **values: Any) -> None:
        answer = await self.admin.patch("/api/v1/config/requests", json=values)
        assert answer.status_code == 200, answer.text


@pytest.fixture
def desk(app, settings, admin, device) -> Desk:
    return Desk(app, settings, admin, device)
