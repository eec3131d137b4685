"""Identity providers in the console."""

import re

import pytest

from fleetkeeper.console.provider_forms import CHANGE, NEW
from fleetkeeper.identity.oidc.presets import Preset
from tests.console.conftest import sign_in

HOME = "/settings/providers"
TENANT = "0b3b4c1e-7f0a-4a52-9f9e-0d2f3d1f8a11"
FIELDS = {
    "name": "The company",
    "slug": "company",
    "client_id": "fleet",
    "client_secret": "a secret",
    "groups_claim": "groups",
    "scopes": "openid",
    "recheck_seconds": "60",
    "enabled": "true",
}
GENERIC = FIELDS | {"issuer": "https://login.example"}


async def make(browser, preset="generic", **fields):
    answer = await browser.send(f"{HOME}/new?preset={preset}", **fields)
    assert answer.status_code == 204, answer.text
    return answer.headers["hx-redirect"]


@pytest.mark.parametrize(
    ("preset", "own", "others"),
    [
        (Preset.GENERIC, {"issuer", "groups_claim"}, {"tenant", "hosted_domain"}),
        (Preset.ENTRA, {"tenant", "groups_claim"}, {"issuer", "hosted_domain"}),
        (Preset.GOOGLE, {"hosted_domain"}, {"tenant", "issuer", "groups_claim"}),
    ],
)
def test_each_kind_asks_for_what_it_needs(preset, own, others):
    assert own <= set(NEW[preset].widgets)
    assert not others & set(NEW[preset].widgets)
    assert set(NEW[preset].widgets) - set(CHANGE[preset].widgets) == {"slug"}


async def test_from_making_to_removing(browser, connection):
    address = await make(browser, **GENERIC)
    page = await browser.page(address)
    assert "/sign-in/oidc/company/callback" in page
    assert "a secret" not in page
    changes = GENERIC | {"client_secret": "", "scim_claim": "", "recheck_seconds": "5"}
    del changes["slug"], changes["enabled"]
    assert (await browser.send(address, **changes)).headers["hx-redirect"] == address
    kept = connection.execute(
        "SELECT client_secret_sealed IS NOT NULL, recheck_seconds, enabled FROM identity_providers"
    ).fetchall()
    assert kept == [(True, 5, False)]
    assert (await browser.send(f"{address}/delete")).headers["hx-redirect"] == HOME
    await browser.page(address, 404)


async def test_an_entra_tenant_becomes_the_issuer_and_what_is_wrong_stands_at_it(browser, connection):
    address = await make(browser, "entra", **FIELDS, tenant=TENANT)
    issuers = connection.execute("SELECT issuer FROM identity_providers").fetchall()
    assert issuers == [(f"https://login.microsoftonline.com/{TENANT}/v2.0",)]
    assert f'value="{TENANT}"' in await browser.page(address)
    for wrong in ("a/b", ""):
        answer = await browser.send(address, **{**FIELDS, "tenant": wrong})
        assert answer.status_code == 422
        assert 'id="change-tenant-error"' in answer.text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("slug", "Not a slug"),
        ("issuer", "http://login.example"),
        ("groups_claim", ""),
        ("scopes", "x"),
    ],
)
async def test_what_is_wrong_stands_at_its_field(browser, field, value):
    answer = await browser.send(f"{HOME}/new?preset=generic", **{**GENERIC, field: value})
    assert answer.status_code == 422
    assert f'id="new-provider-{field}-error"' in answer.text
    # Secrets do not come back.
    assert "a secret" not in answer.text


async def test_a_taken_slug_is_named(browser):
    await make(browser, **GENERIC)
    answer = await browser.send(f"{HOME}/new?preset=generic", **GENERIC)
    assert answer.status_code == 409
    assert 'id="new-provider-slug-error"' in answer.text


async def test_who_may_not_change_it_sees_no_form(app, admin, browser):
    address = await make(browser, **GENERIC)
    role = {"name": "reader", "permissions": ["providers:read", "devices:read"]}
    assert (await admin.post("/api/v1/roles", json=role)).status_code == 201
    reader = await sign_in(app, "ria", "reader")
    page = await reader.page(address)
    await reader.client.aclose()
    assert "https://login.example" in page
    assert not re.search(r'action="/settings/providers', page)
