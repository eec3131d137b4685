"""The page of senders."""

import html
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.factories.senders import WRITE, headers_of, now_ms, series, snappy
from tests.fixtures.peers import find_peer


async def write(client, instance: str) -> None:
    body = series({"__name__": "up", "instance": instance}, [(now_ms(), 1.0)])
    assert (await client.post(WRITE, content=snappy(body), headers=headers_of())).status_code == 204


def configuration_in(answer) -> str:
    """The configuration with its token, as somebody would copy it."""
    return html.unescape(re.search(r'<code id="connected-code">([^<]+)</code>', answer.text)[1])


def check_by_promtool(file: Path) -> None:
    arguments = [find_peer("promtool"), "check", "config", str(file)]
    subprocess.run(arguments, check=True, capture_output=True)


class TestSenders:
    async def test_rules_hosts_and_configurations(self, browser, admin, device):
        await write(admin, "web-01:9100")
        assert "Telegraf and other Influx clients" in await browser.page("/senders/rules")
        page = await browser.page("/senders")
        assert 'href="/senders/hosts/web-01"' in page
        for address in ("/prometheus/api/v1/write", "/influx", "/otlp/v1/metrics", "/collectd"):
            assert f"http://localhost{address}" in page

    async def test_hosts_are_filtered_sorted_and_exported(self, browser, admin, device):
        await write(admin, "web-01:9100")
        await browser.send("/senders/hosts", host="alias/x", device="web-01")
        page = await browser.part("/senders?ordering=-host")
        assert page.index("/senders/hosts/web-01") < page.index("/senders/hosts/alias/x")
        page = await browser.part("/senders?q=alias")
        assert "/senders/hosts/web-01" not in page
        address = html.unescape(re.search(r'href="(/api/v1/telemetry/hosts-export[^"]+)"', page)[1])
        file = (await browser.client.get(address)).text
        assert "alias/x" in file
        assert file.count("web-01") == 1

    async def test_rules_are_filtered_and_say_their_order(self, browser):
        page = await browser.part("/senders/rules?protocol=influx")
        assert "Telegraf and other Influx clients" in page
        assert "collectd" not in page.partition("<tbody>")[2]

    async def test_an_empty_installation_says_what_to_do(self, browser):
        assert "use one of the configurations below" in await browser.page("/senders")

    async def test_a_source_is_connected_in_one_step(self, browser, app, device):
        page = await browser.page("/senders")
        assert page.index("Connect a source") < page.index('id="senders"') < page.index('id="telegraf"')
        answer = await browser.send("/senders/connect", source="Prometheus")
        token = re.search(r'<code id="secret">([^<]+)</code>', answer.text)[1]
        async with app.client() as source:
            source.headers["Authorization"] = f"Bearer {token}"
            await write(source, "web-01:9100")
            assert (await source.get("/api/v1/users")).status_code == 403

    @pytest.mark.parametrize("source", ["Prometheus", "Telegraf", "OpenTelemetry", "collectd"])
    async def test_the_token_stands_in_the_configuration_this_one_time(self, browser, source):
        answer = await browser.send("/senders/connect", source=source)
        token = re.search(r'<code id="secret">([^<]+)</code>', answer.text)[1]
        shown = configuration_in(answer)
        assert token in shown
        assert "http://localhost/" in shown
        assert answer.text.count(token) == 2
        assert f"{source} configuration" in answer.text
        again = await browser.page("/senders")
        assert token not in again
        assert "connected-code" not in again

    async def test_another_token_of_a_source_has_another_name(self, browser, admin):
        for name in ("Prometheus", "Prometheus 2", "Prometheus 3"):
            answer = await browser.send("/senders/connect", source="Prometheus")
            assert f"“{name}”" in answer.text
        assert "“Telegraf”" in (await browser.send("/senders/connect", source="Telegraf")).text

    async def test_no_token_is_made_for_what_is_no_source(self, browser, admin):
        before = (await admin.get("/api/v1/tokens")).json()["count"]
        answer = await browser.send("/senders/connect", source="Grandmother")
        assert answer.status_code == 422
        assert "Choose a source" in answer.text
        assert (await admin.get("/api/v1/tokens")).json()["count"] == before

    async def test_prometheus_takes_its_configuration(self, browser, tmp_path):
        file = tmp_path / "prometheus.yml"
        file.write_text(configuration_in(await browser.send("/senders/connect", source="Prometheus")))
        check_by_promtool(file)

    async def test_telegraf_takes_its_configuration(self, browser):
        text = configuration_in(await browser.send("/senders/connect", source="Telegraf"))
        (output,) = tomllib.loads(text)["outputs"]["influxdb_v2"]
        assert output["urls"] == ["http://localhost/influx"]
        assert output["token"].startswith("fkt_")

    async def test_trying(self, browser, device):
        answer = await browser.send(
            "/senders/rules/try", protocol="prometheus", labels='{instance="web-01:9100", job="x"}'
        )
        assert answer.status_code == 200
        assert f'href="/devices/{device.id}"' in answer.text
        assert "Rule 1, label instance" in answer.text
        answer = await browser.send("/senders/rules/try", protocol="influx", labels="instance=web-01")
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
        assert answer.headers["HX-Redirect"] == "/senders/rules"
        rule = (await admin.get("/api/v1/telemetry/sender-rules")).json()["results"][0]
        assert (rule["labels"], rule["description"]) == (["box", "crate"], "Boxes")
        base = f"/senders/rules/{rule['id']}"
        assert "Edit rule" in await browser.page(base)
        await browser.send(
            base, protocol="influx", labels="box", pattern="", description="Crates", position="2"
        )
        await browser.send(f"{base}/move/3")
        await browser.send(f"{base}/enable/false")
        changed = (await admin.get(f"/api/v1/telemetry/sender-rules/{rule['id']}")).json()
        assert (changed["protocol"], changed["position"], changed["enabled"]) == ("influx", 3, False)
        await browser.send(f"{base}/delete")
        assert (await admin.get("/api/v1/telemetry/sender-rules")).json()["count"] == 6

    async def test_labels_are_separated_by_commas_or_blanks_and_an_empty_order_stays(self, browser, admin):
        rules = (await admin.get("/api/v1/telemetry/sender-rules")).json()["results"]
        base = f"/senders/rules/{rules[1]['id']}"
        values = {"protocol": "any", "labels": "box crate,  bin", "pattern": "", "description": ""}
        assert (await browser.send(base, **values, position="")).status_code == 204
        changed = (await admin.get(f"/api/v1/telemetry/sender-rules/{rules[1]['id']}")).json()
        assert (changed["labels"], changed["position"]) == (["box", "crate", "bin"], 2)
        assert (changed["enabled"], changed["description"]) == (rules[1]["enabled"], "")
        refused = await browser.send(base, **values | {"labels": " "}, position="0")
        assert refused.status_code == 422
        assert 'id="rule-labels-error"' in refused.text
        assert 'id="rule-position-error"' in refused.text

    async def test_labels_that_were_tried_stay_in_the_form(self, browser, device):
        answer = await browser.send("/senders/rules/try", protocol="otlp", labels="host.name=web-01")
        assert 'value="host.name=web-01"' in answer.text
        assert re.search(r'value="otlp"\s+selected', answer.text)
        wrong = await browser.send("/senders/rules/try", protocol="smoke", labels="a=b")
        assert wrong.status_code == 422
        assert 'id="try-protocol-error"' in wrong.text

    async def test_a_wrong_pattern_is_shown_at_its_field(self, browser):
        answer = await browser.send("/senders/rules", protocol="any", labels="a", pattern="(")
        assert answer.status_code == 422
        assert "RE2" in answer.text

    async def test_a_host_is_entered_and_given_away(self, browser, admin, device):
        answer = await browser.send("/senders/hosts", host="alias/x", device="web-01")
        assert answer.headers["HX-Redirect"] == "/senders"
        page = await browser.page("/senders/hosts/alias/x")
        assert "Stored samples stay with web-01" in page
        assert (await browser.send("/senders/hosts/move/alias/x", device="nobody")).status_code == 422
        answer = await browser.send("/senders/hosts/move/alias/x", device=device.id)
        assert answer.headers["HX-Redirect"] == "/senders/hosts/alias/x"
        await browser.send("/senders/hosts/forget/alias/x")
        assert (await admin.get("/api/v1/telemetry/hosts")).json()["count"] == 1

    async def test_viewers_have_no_such_page(self, viewer_browser):
        await viewer_browser.page("/senders", status=403)
