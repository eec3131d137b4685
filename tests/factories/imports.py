"""Imports of devices, as tests need them."""

from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import select

from fleetkeeper.jobs.models import JobRun
from tests.fixtures.client import TEST_CONTEXT
from tests.fixtures.jobs import run_job

HOME = "/api/v1/device-imports"
WHY = {"X-Change-Reason": "inventory of 2026"}


async def upload(
    client: httpx.AsyncClient, content: str | bytes, name: str = "devices.csv"
) -> dict[str, Any]:
    """Upload a file; returns the import."""
    body = content.encode() if isinstance(content, str) else content
    answer = await client.post(
        HOME, params={"name": name}, content=body, headers={"Content-Type": "application/octet-stream"}
    )
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def configure(client: httpx.AsyncClient, made: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Change the options of an import."""
    body = {
        name: made[name] for name in ("mapping", "identify_by", "existing", "empty_cells", "all_or_nothing")
    }
    answer = await client.put(f"{HOME}/{made['id']}", json=body | options)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def dry_run(client: httpx.AsyncClient, made: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows after a dry run."""
    answer = await client.post(f"{HOME}/{made['id']}/dry-run")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


async def work(
    app: Any, settings: Any, client: httpx.AsyncClient, made: dict[str, Any], act: str
) -> dict[str, Any]:
    """Apply or undo an import, as a worker would; returns it as it is then."""
    asked = await client.post(f"{HOME}/{made['id']}/{act}", headers=WHY)
    assert asked.status_code == 202, asked.text
    name = f"devices.{act}_import"
    async with app.state.database.session(TEST_CONTEXT) as session:
        run: UUID | None = await session.scalar(
            select(JobRun.id).where(JobRun.job == name, JobRun.key == made["id"], JobRun.state == "waiting")
        )
    await run_job(app, settings, name, run)
    found: dict[str, Any] = (await client.get(f"{HOME}/{made['id']}")).json()
    return found


async def items(client: httpx.AsyncClient, made: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of an import."""
    found: list[dict[str, Any]] = (await client.get(f"{HOME}/{made['id']}/items?limit=500")).json()["results"]
    return found


async def waiting_run(app: Any, name: str) -> UUID | None:
    """The run of a job that waits."""
    async with app.state.database.session(TEST_CONTEXT) as session:
        found: UUID | None = await session.scalar(
            select(JobRun.id).where(JobRun.job == name, JobRun.state == "waiting")
        )
    return found
