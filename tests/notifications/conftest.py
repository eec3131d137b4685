"""The worker of this room, and receivers."""

import pytest

from tests.factories.notifications import mail_server, receiving, worker_of


@pytest.fixture
def worker(app):
    return worker_of(app)


@pytest.fixture
async def receiver():
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def mails():
    async with mail_server() as server:
        yield server
