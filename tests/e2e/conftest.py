"""The application behind a real socket, and browsers that go there."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import uvicorn
from playwright import sync_api
from playwright.async_api import Browser, async_playwright, expect

from tests.e2e.browsers import ARGUMENTS, CHROMIUM, SIZES, Visitor
from tests.fixtures.client import RunningApp

# A page that a busy machine draws late is no fault; Playwright waits for five seconds.
expect.set_options(timeout=60_000)
sync_api.expect.set_options(timeout=60_000)


@pytest.fixture
async def address(app: RunningApp) -> AsyncIterator[str]:
    """The application behind a real socket on loopback."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            app.asgi, ws="none", lifespan="off", log_level="error", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve([listener]))
        yield f"http://localhost:{listener.getsockname()[1]}"
        server.should_exit = True
        await task


@pytest.fixture(scope="package")
async def chromium() -> AsyncIterator[Browser]:
    """One for all tests of a process that need one: what a visitor leaves is in a context of their own.

    It goes when the last of them is done: even without a page it takes a quarter of a processor.
    """
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture
async def visit(address: str, chromium: Browser) -> AsyncIterator[Callable[..., Awaitable[Visitor]]]:
    """Opens browsers that know nothing of each other."""
    async with contextlib.AsyncExitStack() as stack:

        async def open_browser(size: str = "desktop", scheme: str = "light") -> Visitor:
            context = await chromium.new_context(viewport=SIZES[size], color_scheme=scheme)  # type: ignore[arg-type]
            stack.push_async_callback(context.close)
            return Visitor(await context.new_page(), address)

        yield open_browser
