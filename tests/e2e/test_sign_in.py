"""Ways to sign in, in a real browser: a provider, an authenticator app, a passkey; and sessions that end."""

import re
from collections.abc import Awaitable, Callable

import httpx
import pyotp
import pytest
from playwright.async_api import expect

from fleetkeeper.identity.permissions import Role
from tests.e2e.browsers import NEEDS_BROWSER, Visitor
from tests.fixtures.client import PASSWORD, RunningApp, make_user
from tests.fixtures.oidc_provider import RealProvider

pytestmark = NEEDS_BROWSER
Visit = Callable[..., Awaitable[Visitor]]


@pytest.fixture
async def maria(app: RunningApp) -> str:
    """A viewer; returns her name."""
    await make_user(app.state.database, "maria", Role.VIEWER)
    return "maria"


async def next_code(secret: str, page) -> str:
    """The code after those that were used: of the step to come, which a clock may be ahead."""
    now = await page.evaluate("Date.now() / 1000")
    return pyotp.TOTP(secret).at(int(now) + 30)


async def add_authenticator_app(visitor: Visitor) -> tuple[str, list[str]]:
    """Scan the picture and enter a code; returns the secret and the recovery codes."""
    page = visitor.page
    await page.click("#totp button:has-text('Set up')")
    await expect(page.locator("#totp img[src^='data:image/svg']")).to_be_visible()
    secret = (await page.inner_text("#totp-secret")).replace(" ", "")
    await page.fill("#totp-code", "000000")
    await page.click("#totp button[type=submit]")
    await expect(page.locator("#totp-code-error")).to_contain_text("current code of the app")
    await page.fill("#totp-code", pyotp.TOTP(secret).now())
    await page.click("#totp button[type=submit]")
    await expect(page.locator("#totp .tag")).to_have_text("On")
    codes = (await page.inner_text("#codes")).split()
    assert len(codes) == 10
    return secret, codes


async def add_authenticator(visitor: Visitor) -> None:
    """Give the browser a device that holds passkeys and asks its owner for a fingerprint."""
    tools = await visitor.context.new_cdp_session(visitor.page)
    await tools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    await tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


async def make_provider_by_hand(visitor: Visitor, real_provider: RealProvider) -> None:
    """As an administrator does it: the provider, its group `helpdesk`, and what that may do."""
    page = visitor.page
    await visitor.sign_in("admin", PASSWORD)
    await visitor.open("/settings/providers")
    await page.click("a:has-text('OpenID Connect')")
    values = {"name": "The company", "slug": "company", "issuer": real_provider.issuer, "client_id": "fleet"}
    for name, value in (values | {"client_secret": "any", "recheck_seconds": "0"}).items():
        await page.fill(f"[name={name}]", value)
    await page.click("button:has-text('Add provider')")
    await page.click("button:has-text('Test connection')")
    await expect(page.locator("main")).to_contain_text("The provider answers, and has 1 key")
    await visitor.open("/groups")
    await page.click("summary:has-text('Create group')")
    await page.fill("#new-group [name=name]", "helpdesk")
    await page.select_option("#new-group [name=provider_id]", label="The provider The company")
    await page.click("#new-group button[type=submit]")
    await page.click("summary:has-text('Assign role')")
    await page.select_option("#give-role [name=role]", "operator")
    await page.click("#give-role button[type=submit]")
    await expect(page.locator("main")).to_contain_text("Identity provider")
    await expect(page.locator("main table").first).to_contain_text("operator")
    assert visitor.problems == []


async def test_provider_whose_group_gives_the_role_until_it_does_not(
    visit: Visit, admin_token: str, real_provider: RealProvider
):
    assert admin_token
    await make_provider_by_hand(await visit(), real_provider)
    real_provider.tell("maria-e2e", preferred_username="maria", name="Maria Weiß", groups=["helpdesk"])
    visitor = await visit()
    page = visitor.page

    await visitor.open("/agents")
    await expect(page).to_have_url(re.compile(r"/sign-in\?next=%2Fagents$"))
    await page.click("text=Sign in with The company")
    await page.fill("input[name=sub]", "maria-e2e")
    await page.click("button:has-text('Authorize')")
    await page.wait_for_url(visitor.address + "/agents")
    # Of the provider's own page, which asks for a style sheet elsewhere.
    visitor.problems.clear()
    await page.reload()
    # Only operators see this form.
    await expect(page.locator("#new-token")).to_be_visible()
    assert visitor.problems == []

    real_provider.tell("maria-e2e", preferred_username="maria", groups=[])
    assert await visitor.open("/agents") == 403
    await expect(page.locator("#new-token")).to_have_count(0)

    real_provider.tell("maria-e2e", preferred_username="maria", groups=["helpdesk"])
    assert await visitor.open("/agents") == 200

    real_provider.revoke("maria-e2e")
    await page.reload()
    await expect(page).to_have_url(re.compile("/sign-in"))


async def test_authenticator_app_and_recovery_code(visit: Visit, maria: str):
    visitor = await visit()
    page = visitor.page
    await visitor.sign_in(maria, PASSWORD)
    await visitor.open("/account/security")
    secret, codes = await add_authenticator_app(visitor)
    # htmx logs the refusal of the wrong code, which was meant to be refused.
    assert all("422" in problem for problem in visitor.problems), visitor.problems
    await visitor.sign_out()

    await visitor.sign_in(maria, PASSWORD)
    await expect(page).to_have_url(visitor.address + "/sign-in/second-factor")
    await page.fill("#code", await next_code(secret, page))
    await page.click("button:has-text('Go on')")
    await page.wait_for_url(visitor.address + "/")
    await visitor.sign_out()

    other = await visit("phone", "dark")
    await other.sign_in(maria, PASSWORD)
    await other.page.click("summary")
    await other.page.fill("#recovery_code", codes[0].lower())
    await other.page.click("button:has-text('Use recovery code')")
    await other.page.wait_for_url(visitor.address + "/")
    await other.open("/account/security")
    await expect(other.page.locator("#recovery")).to_contain_text("9 of 10 are left")
    assert await other.is_within_its_width()
    assert other.problems == []

    third = await visit()
    await third.sign_in(maria, PASSWORD)
    await third.page.click("summary")
    await third.page.fill("#recovery_code", codes[0])
    await third.page.click("button:has-text('Use recovery code')")
    await expect(third.page.locator("[role=alert]").first).to_contain_text("not correct")


async def test_passkey_alone(visit: Visit, maria: str):
    visitor = await visit()
    page = visitor.page
    await add_authenticator(visitor)
    await visitor.sign_in(maria, PASSWORD)
    await visitor.open("/account/security")
    await page.fill("[data-passkey-enrolment] input", "Laptop")
    await page.click("[data-passkey-enrolment] button")
    await expect(page.locator("#passkeys tbody tr")).to_have_count(1)
    await expect(page.locator("#passkeys tbody input[name=name]")).to_have_value("Laptop")
    assert len((await page.inner_text("#codes")).split()) == 10
    await visitor.sign_out()

    await visitor.open("/devices")
    await page.click("button:has-text('Sign in with a passkey')")
    await page.wait_for_url(visitor.address + "/devices")
    await visitor.open("/account")
    await expect(page.locator("#sessions tbody tr", has_text="Current session")).to_contain_text("passkey")
    assert visitor.problems == []

    await visitor.open("/account/security")
    page.on("dialog", lambda dialog: dialog.accept())
    await page.click("#passkeys button:has-text('Remove')")
    if await page.locator("dialog[open]").count():
        await page.click("dialog[open] [data-confirm], dialog[open] button[value=yes]")
    await expect(page.locator("#passkeys tbody tr")).to_have_count(0)
    await visitor.sign_out()
    await page.click("button:has-text('Sign in with a passkey')")
    await expect(page.locator("[data-passkey-error]")).to_contain_text("passkey is unknown")


async def test_passkey_as_second_step(visit: Visit, maria: str):
    visitor = await visit()
    page = visitor.page
    await add_authenticator(visitor)
    await visitor.sign_in(maria, PASSWORD)
    await visitor.open("/account/security")
    await page.fill("[data-passkey-enrolment] input", "Laptop")
    await page.click("[data-passkey-enrolment] button")
    await expect(page.locator("#passkeys tbody tr")).to_have_count(1)
    await visitor.sign_out()
    await visitor.sign_in(maria, PASSWORD)
    await expect(page).to_have_url(visitor.address + "/sign-in/second-factor")
    await page.click("button:has-text('Use a passkey')")
    await page.wait_for_url(visitor.address + "/")
    assert visitor.problems == []


async def test_role_that_asks_for_a_second_factor(visit: Visit, app: RunningApp, admin: httpx.AsyncClient):
    """It leads to the enrollment, and to nothing else until that is done."""
    answer = await admin.post(
        "/api/v1/roles",
        json={"name": "careful", "permissions": ["devices:read"], "requires_second_factor": True},
    )
    assert answer.status_code == 201, answer.text
    await make_user(app.state.database, "otto", "careful")  # type: ignore[arg-type]
    visitor = await visit()
    page = visitor.page
    await visitor.sign_in("otto", PASSWORD)
    for path in ("/", "/devices", "/account", "/agents"):
        await visitor.open(path)
        await expect(page).to_have_url(visitor.address + "/account/security")
    await expect(page.locator("#security [role=status]")).to_contain_text(
        "Your role requires a second factor"
    )
    assert visitor.problems == []
    await add_authenticator_app(visitor)
    await page.click("text=Go to the overview")
    await page.wait_for_url(visitor.address + "/")
    assert await visitor.open("/devices") == 200


async def test_whoever_has_no_role_is_told_and_gets_out(visit: Visit, admin: httpx.AsyncClient):
    await admin.post("/api/v1/users", json={"username": "newcomer", "password": PASSWORD})
    visitor = await visit("phone")
    await visitor.sign_in("newcomer", PASSWORD)
    await expect(visitor.page.locator("main")).to_contain_text(
        "You are signed in as newcomer, but have no role"
    )
    await visitor.page.click("main a:has-text('My account')")
    await expect(visitor.page.locator("#sessions tbody tr")).to_have_count(1)
    await visitor.open("/")
    await visitor.page.click("button:has-text('Sign out'):visible")
    await expect(visitor.page).to_have_url(visitor.address + "/sign-in")


async def test_codes_stay_while_another_factor_is_added(visit: Visit, maria: str):
    visitor = await visit()
    page = visitor.page
    await add_authenticator(visitor)
    await visitor.sign_in(maria, PASSWORD)
    await visitor.open("/account/security")
    _, codes = await add_authenticator_app(visitor)
    await page.fill("[data-passkey-enrolment] input", "Laptop")
    await page.click("[data-passkey-enrolment] button")
    await expect(page.locator("#passkeys tbody tr")).to_have_count(1)
    assert (await page.inner_text("#codes")).split() == codes


async def test_ending_another_session(visit: Visit, maria: str):
    here, there = await visit(), await visit()
    await here.sign_in(maria, PASSWORD)
    await there.sign_in(maria, PASSWORD)
    # A page that asks for nothing by itself.
    await there.open("/account")
    await here.open("/account")
    rows = here.page.locator("#sessions tbody tr")
    await expect(rows).to_have_count(2)
    here.page.on("dialog", lambda dialog: dialog.accept())
    await rows.locator("button:has-text('End')").click()
    await expect(rows).to_have_count(1)
    assert here.problems == []
    # At its next click.
    await there.page.click("nav a[href='/devices']")
    await expect(there.page).to_have_url(re.compile("/sign-in"))
    assert await here.open("/devices") == 200
