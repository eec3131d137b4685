"""`make screenshots`: starts the product in a temporary home and photographs its pages for the documentation."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

IMAGES = Path(__file__).parent / "images"
CHROMIUM_ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CHROMIUM = "/usr/bin/chromium"
# Long enough for charts with a shape of their own.
MEASURING_SECONDS = 150
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(address: str) -> None:
    """Wait for the product's own word that it is ready."""
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"{address}/health/ready", timeout=2):  # noqa: S310 - our own address
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("The product did not become ready.")


def sign_in(page: Page, address: str, password: str) -> None:
    """Sign in as the first administrator."""
    page.goto(f"{address}/sign-in")
    page.fill("input[name=username]", "admin")
    page.fill("input[name=password]", password)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/")


def photograph(address: str, password: str) -> None:
    """Each page, wide and on a phone, light and dark."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        for scheme in ("light", "dark"):
            for name, viewport in (("wide", WIDE), ("phone", PHONE)):
                context = browser.new_context(color_scheme=scheme, viewport=viewport)
                page = context.new_page()
                sign_in(page, address, password)
                page.goto(f"{address}/devices")
                device = page.locator("a[href^='/devices/']").first.get_attribute("href")
                for title, path in (
                    ("overview", "/"),
                    ("devices", "/devices"),
                    ("device", f"{device}?range=5m"),
                    ("agents", "/agents"),
                    ("settings", "/settings"),
                ):
                    page.goto(address + path)
                    page.wait_for_load_state("load")
                    if title == "device":
                        page.wait_for_selector("canvas")
                        page.wait_for_timeout(6000)
                    page.screenshot(path=IMAGES / f"{title}-{name}-{scheme}.png")
                context.close()
        browser.close()


def main() -> None:
    """Start, wait, photograph, stop."""
    IMAGES.mkdir(exist_ok=True)
    password, port = secrets.token_urlsafe(15), free_port()
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {
            "FLEETKEEPER_HOME": home,
            "FLEETKEEPER_ADMIN_PASSWORD": password,
            "FLEETKEEPER_WEB__PORT": str(port),
        }
        product = subprocess.Popen([sys.executable, "-m", "fleetkeeper", "up"], env=environment)
        try:
            wait_until_ready(f"http://127.0.0.1:{port}")
            time.sleep(MEASURING_SECONDS)
            photograph(f"http://127.0.0.1:{port}", password)
        finally:
            product.send_signal(signal.SIGINT)
            product.wait()


if __name__ == "__main__":
    main()
