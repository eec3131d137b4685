"""A device with a request, stores of each kind, and the worker."""

import time
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg
import pytest

from fleetkeeper.cloud_files.providers import google_drive, sharepoint
from fleetkeeper.cloud_files.providers.opening import Outside, open_store
from fleetkeeper.cloud_files.removing import clean_up, remove_due
from fleetkeeper.cloud_files.syncing import sync_due
from tests.device_requests.conftest import Desk
from tests.factories.cloud_files import DriveFake, GraphFake, key_file, serving

DUE = "UPDATE cloud_file_refs SET next_attempt_at = now() WHERE sync_status = 'pending'"


@dataclass
class Files:
    """What tests do with files, by the doors."""

    desk: Desk
    connection: psycopg.Connection
    settings: Any
    request: str

    @property
    def outside(self) -> Outside:
        return Outside.of(self.settings)

    async def send(self, content: bytes, name: str = "photo.jpg") -> httpx.Response:
        """A file of the device."""
        path = f"/api/v1/requests/{self.request}/files"
        return await self.desk.device.client.post(path, params={"name": name}, content=content)

    async def sent(self, content: bytes, name: str = "photo.jpg") -> str:
        answer = await self.send(content, name)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    async def add(self, content: bytes, name: str = "answer.pdf", **more: Any) -> httpx.Response:
        """A file of a person."""
        path = f"/api/v1/device-requests/{self.request}/files"
        return await self.desk.admin.post(path, params={"name": name, **more}, content=content)

    async def store(self, provider: str, **more: Any) -> str:
        body = {"name": provider, "provider": provider} | more
        answer = await self.desk.admin.post("/api/v1/cloud-stores", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    async def sync(self, opening: Any = open_store) -> int:
        """All that is due now."""
        until = time.monotonic() + 60
        return await sync_due(self.desk.app.state.database, self.outside, until, opening)

    async def sync_all(self, most: int = 60) -> int:
        """Until nothing is pending, with every wait cut short; returns how many rounds it took."""
        for round_number in range(1, most):
            await self.sync()
            if not self.connection.execute(DUE).rowcount:
                return round_number
        raise AssertionError(self.rows("problem"))

    async def remove(self) -> int:
        return await remove_due(self.desk.app.state.database, self.outside, time.monotonic() + 60)

    async def clean_up(self) -> int:
        return await clean_up(self.desk.app.state.database, self.outside)

    async def get(self, file_id: str) -> dict[str, Any]:
        answer = await self.desk.admin.get(f"/api/v1/cloud-files/{file_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def content(self, file_id: str) -> httpx.Response:
        return await self.desk.admin.get(f"/api/v1/cloud-files/{file_id}/content")

    def rows(self, columns: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(f"SELECT {columns} FROM cloud_file_refs ORDER BY id").fetchall()

    def spooled(self) -> list[str]:
        folder = self.outside.root / "spool"
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


@pytest.fixture
def desk(app, settings, admin, device) -> Desk:
    return Desk(app, settings, admin, device)


@pytest.fixture
async def files(desk, connection, settings) -> Files:
    settings.outgoing.allowed_networks.append("127.0.0.0/8")
    return Files(desk, connection, settings, await desk.submit(slot=1))


@pytest.fixture
def small_parts(monkeypatch) -> None:
    """As small as the services take them."""
    monkeypatch.setattr(sharepoint, "FRAGMENT_BYTES", 320 * 1024)
    monkeypatch.setattr(google_drive, "PART_BYTES", 256 * 1024)


@pytest.fixture
async def graph(tmp_path, small_parts):
    fake = GraphFake(tmp_path)
    async with serving(fake):
        yield fake


@pytest.fixture
async def drive(tmp_path, small_parts):
    fake = DriveFake(tmp_path)
    async with serving(fake):
        yield fake


@pytest.fixture
async def library(files, graph) -> str:
    """A store on the fake of Graph."""
    return await files.store(
        "sharepoint",
        drive_id="lib!1",
        tenant_id="example.com",
        client_id="app",
        folder="Fleet files/requests",
        secret=graph.secret,
        api_url=f"{graph.url}/v1.0",
        login_url=graph.url,
    )


@pytest.fixture
async def drive_folder(files, drive) -> str:
    """A store on the fake of Drive."""
    return await files.store(
        "google-drive",
        folder=drive.folder_id,
        secret=key_file(),
        api_url=drive.url,
        login_url=f"{drive.url}/token",
    )
