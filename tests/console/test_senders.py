"""The page of senders."""

import re

from tests.factories.senders import WRITE, headers_of, now_ms, series, snappy


async def write(client, instance: str) -> None:
    body = series({"__name__": "up", "instance": instance}, [(now_ms(), 1.0)])
    assert (await client.post(WRITE, content=snappy(body), headers=headers_of())).status_code == 204


class TestSenders:
    async def test_rules_hosts_and_configurations(self, browser, admin, device):
        await write(admin, "web-01:9100")
        page = await browser.page("/senders")
        assert "Telegraf and other Influx clients" in page
        assert 'href="/senders/hosts/web-01"' in page
        for address in ("/prometheus/api/v1/write", "/influx", "/otlp/v1/metrics", "/collectd"):
            assert f"http://localhost{address}" in page

    async def test_an_empty_installation_says_what_to_do(self, browser):
        assert "Paste one of the configurations above" in await browser.page("/senders")

    async def test_a_source_is_connected_in_one_step(self, browser, app, device):
        page = await browser.page("/senders")
        assert page.index("Connect a source") < page.index('id="telegraf"') < page.index('id="rules"')
        answer = await browser.send("/senders/connect", source="Prometheus")
        token = re.search(r'<code id="secret">([^<]+)</code>', answer.text)[1]
        async with app.client() as source:
            source.headers["Authorization"] = f"Bearer {token}"
            await write(source, "web-01:9100")
            assert (await source.get("/api/v1/users")).status_code == 403

    async def test_trying(self, browser, device):
        answer = await browser.send(
            "/senders/try", protocol="prometheus", labels='{instance="web-01:9100", job="x"}'
        )
        assert answer.status_code == 200
        assert f'href="/devices/{device.id}"' in answer.text
        assert "Rule 1, label instance" in answer.text
        answer = await browser.send("/senders/try", protocol="influx", labels="instance=web-01")
        assert "No host found" in answer.text

    async def test_a_rule_is_made_changed_moved_and_deleted(self, browser, admin):
        answer = await browser.send(
            "/senders/rules",
            protocol="any",
            labels="box, crate",
            pattern="^b-(.+)$",
            description="Boxes",
            position="1",
        )
        assert answer.headers["HX-Redirect"] == "/senders"
        rule = (await admin.get("/api/v1/telemetry/sender-rules")).json()["results"][0]
        assert (rule["labels"], rule["description"]) == (["box", "crate"], "Boxes")
        base = f"/senders/rules/{rule['id']}"
        assert "Change the rule" in await browser.page(base)
        await browser.send(
            base, protocol="influx", labels="box", pattern="", description="Crates", position="2"
        )
        await browser.send(f"{base}/move/3")
        await browser.send(f"{base}/enable/false")
        changed = (await admin.get(f"/api/v1/telemetry/sender-rules/{rule['id']}")).json()
        assert (changed["protocol"], changed["position"], changed["enabled"]) == ("influx", 3, False)
        await browser.send(f"{base}/delete")
        assert (await admin.get("/api/v1/telemetry/sender-rules")).json()["count"] == 6

    async def test_a_wrong_pattern_is_shown_at_its_field(self, browser):
        answer = await browser.send("/senders/rules", protocol="any", labels="a", pattern="(")
        assert answer.status_code == 422
        assert "RE2" in answer.text

    async def test_a_host_is_entered_and_given_away(self, browser, admin, device):
        answer = await browser.send("/senders/hosts", host="alias/x", device="web-01")
        assert answer.headers["HX-Redirect"] == "/senders"
        page = await browser.page("/senders/hosts/alias/x")
        assert "Those that are stored stay with web-01" in page
        assert (await browser.send("/senders/hosts/move/alias/x", device="nobody")).status_code == 422
        answer = await browser.send("/senders/hosts/move/alias/x", device=device.id)
        assert answer.headers["HX-Redirect"] == "/senders/hosts/alias/x"
        await browser.send("/senders/hosts/forget/alias/x")
        assert (await admin.get("/api/v1/telemetry/hosts")).json()["count"] == 1

    async def test_viewers_have_no_such_page(self, viewer_browser):
        await viewer_browser.page("/senders", status=403)
