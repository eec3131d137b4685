"""Chromium as the tests start it, and its visitors."""

import os
import shutil
from dataclasses import dataclass, field

import pytest
from playwright.async_api import BrowserContext, Page

from fleetkeeper.console.rendering import DIST

CHROMIUM = os.environ.get("FLEETKEEPER_TEST_BROWSER") or shutil.which("chromium")
NEEDS_BROWSER = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here; FLEETKEEPER_TEST_BROWSER names one"),
    pytest.mark.skipif(not DIST.exists(), reason="the assets are not bundled"),
]
ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZES = {"desktop": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}


@dataclass
class Visitor:
    """A page of a browser, and what went wrong in it."""

    page: Page
    address: str
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on(
            "console", lambda line: self.problems.append(line.text) if line.type == "error" else None
        )

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    async def open(self, path: str) -> int:
        """Go to a page; returns the status of the answer."""
        answer = await self.page.goto(self.address + path)
        return answer.status if answer else 0

    async def is_within_its_width(self) -> bool:
        # Between two pages there is none to look at.
        await self.page.wait_for_function("document.readyState !== 'loading' && document.body !== null")
        return await self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    async def sign_in(self, username: str, password: str) -> None:
        """Enter name and password."""
        await self.open("/sign-in")
        await self.page.fill("#username", username)
        await self.page.fill("#password", password)
        await self.page.click("button[type=submit]")
        await self.page.wait_for_url(lambda address: not address.endswith("/sign-in"))

    async def sign_out(self) -> None:
        """Open the menu and press the button."""
        await self.page.locator("details:has(form[action='/sign-out']) > summary").click()
        await self.page.locator("form[action='/sign-out'] button").first.click()
        await self.page.wait_for_url(self.address + "/sign-in")
