"""The product's own address, as scripts, redirects and SCIM name it."""

import httpx
import pytest

from fleetkeeper.settings import Settings
from fleetkeeper.settings.web import WebSettings
from tests.fixtures.client import running_app

HOSTS = ["localhost", "fleet.example.org"]


@pytest.mark.parametrize(
    ("web", "host", "expected"),
    [
        ({}, "localhost", "http://localhost"),
        ({}, "localhost:8000", "http://localhost:8000"),
        ({}, "fleet.example.org", "https://fleet.example.org"),
        ({"secure_cookies": True}, "fleet.example.org", "https://fleet.example.org"),
        ({"secure_cookies": True}, "localhost", "https://localhost"),
        ({"public_origin": "https://fleet.example.org"}, "localhost", "https://fleet.example.org"),
        ({"public_origin": "http://10.0.0.1:8000"}, "fleet.example.org", "http://10.0.0.1:8000"),
    ],
)
async def test_the_script_names(tmp_path, app_url, web, host, expected):
    settings = Settings(home=tmp_path, web=WebSettings(allowed_hosts=HOSTS, **web))
    async with running_app(settings, app_url) as app, app.client() as client:
        script = await client.get("/agent/install.sh", headers={"Host": host})
        assert f'"{expected}/agent/fleetkeeper_agent-' in script.text
        assert f'--server "{expected}"' in script.text


@pytest.mark.parametrize(
    "host", ["evil.example", 'localhost"; rm -rf /; "', "localhost/$(id)", "fleet.example.org@evil.example"]
)
async def test_a_host_that_is_not_ours_is_in_no_script(shared, host):
    answer: httpx.Response = await shared.anonymous.get("/agent/install.sh", headers={"Host": host})
    assert answer.status_code in {400, 421}
    assert "evil" not in answer.text
