"""An audit log of its own for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from fleetkeeper.database.engine import Database
from tests.factories.audit import Log


@pytest.fixture
async def log(
    connection: psycopg.Connection, app_url: str, keeper_url: str, tmp_path: Path
) -> AsyncIterator[Log]:
    database, keeper = Database(app_url, pool_size=3), Database(keeper_url, pool_size=3)
    yield Log(connection, database, keeper, tmp_path)
    await keeper.close()
    await database.close()
