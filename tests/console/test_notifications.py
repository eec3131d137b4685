"""Notifications in the console: channels, rules, the delivery log, one's own list and preferences."""

import re

import pytest

from tests.factories.identity import make_user
from tests.factories.notifications import make_channel, make_rule, receiving, worker_of
from tests.fixtures.client import TEST_CONTEXT


@pytest.fixture
def worker(app):
    return worker_of(app)


async def made_in(app, make):
    async with app.state.database.session(TEST_CONTEXT) as session:
        return await make(session, app.state.sealer)


class TestChannels:
    async def test_a_webhook_is_created_and_shows_its_secret_once(self, browser):
        await browser.page("/notifications")
        fields = {
            "kind": "webhook",
            "name": "Operations",
            "url": "https://hooks.example/x",
            "format": "alertmanager",
            "per_minute": "60",
        }
        made = (await browser.send("/notifications/channels/webhook", **fields)).text
        secret = re.search(r"whsec_[A-Za-z0-9+/=]+", made)[0]
        (address,) = set(
            re.findall(
                r'href="(/notifications/channels/[0-9a-f-]{36})"', await browser.page("/notifications")
            )
        )
        page = await browser.page(address)
        assert "Set" in page
        assert secret not in page
        rotated = (await browser.send(f"{address}/secret")).text
        assert "whsec_" in rotated
        assert secret not in rotated

    async def test_a_wrong_form_says_what_is_wrong(self, browser):
        fields = {"kind": "email", "name": "Mail", "host": "mail.example", "port": "99999", "security": "tls"}
        answer = await browser.send("/notifications/channels/email", **fields)
        assert answer.status_code == 422
        assert 'value="mail.example"' in answer.text
        assert "Must be at most 65535" in answer.text

    async def test_a_test_shows_how_it_went(self, app, browser, settings):
        settings.outgoing.allowed_networks.append("127.0.0.0/8")
        async with receiving() as receiver:
            channel = await made_in(
                app, lambda session, sealer: make_channel(session, sealer, url=receiver.url)
            )
            answer = await browser.send(f"/notifications/channels/{channel.id}/test")
            assert "The receiver answered 200." in answer.text
            receiver.status = 500
            answer = await browser.send(f"/notifications/channels/{channel.id}/test")
            assert "The receiver answered 500: well." in answer.text

    async def test_it_is_changed_unless_somebody_else_did_meanwhile(self, app, browser):
        channel = await made_in(
            app, lambda session, sealer: make_channel(session, sealer, url="https://hooks.example/x")
        )
        address = f"/notifications/channels/{channel.id}"
        fields = {"name": "Renamed", "url": "https://hooks.example/y", "per_minute": "5", "version": "1"}
        fields["format"] = "alertmanager"
        assert (await browser.send(f"{address}/change", **fields)).status_code == 204
        page = await browser.page(address)
        assert "https://hooks.example/y" in page
        assert "Alertmanager" in page
        assert "Disabled" in page
        assert (await browser.send(f"{address}/change", **fields)).status_code == 412
        assert (await browser.send(f"{address}/delete")).status_code == 204
        await browser.page(address, 404)


class TestRules:
    async def test_one_with_people_is_created_and_changed(self, app, browser):
        async def make(session, sealer):
            await make_user(session, "anna", email="anna@example.org")
            return await make_channel(session, sealer, kind="email", port=25, name="Mail")

        channel = await made_in(app, make)
        fields = {
            "name": "Failures",
            "minimum_severity": "info",
            "events": "jobs.run_failed",
            "channel_id": str(channel.id),
            "user_ids": "anna",
        }
        wrong = await browser.send("/notifications/rules", **fields | {"user_ids": "nobody"})
        assert wrong.status_code == 422
        assert "nobody" in wrong.text
        assert (await browser.send("/notifications/rules", **fields)).status_code == 204
        page = await browser.page("/notifications")
        address = re.search(r'href="(/notifications/rules/[^"]+)"', page)[1]
        assert 'value="anna"' in await browser.page(address)
        changed = fields | {"minimum_severity": "critical", "version": "1", "enabled": "true"}
        assert (await browser.send(address, **changed)).status_code == 204
        assert "critical" in await browser.page("/notifications")
        assert (await browser.send(f"{address}/delete")).status_code == 204


class TestDeliveries:
    async def test_what_was_given_up_is_replayed(self, app, browser, worker):
        async with receiving() as receiver:
            receiver.status = 410

            async def make(session, sealer):
                channel = await make_channel(session, sealer, url=receiver.url, name="Operations")
                await make_rule(session, channel)

            await made_in(app, make)
            await worker.emit(what="<script>alert(1)</script>")
            await worker.run()
            page = await browser.page("/notifications?state=dead")
            assert "The thing happened" in page
            assert "The receiver answered 410: well." in page
            replay = re.search(r'action="(/notifications/deliveries/[^"]+/replay)"', page)[1]
            receiver.status = 200
            assert (await browser.send(replay)).status_code == 204
            assert await worker.deliver() == 1
        assert "Answered 200" in await browser.page("/notifications?state=delivered")


class TestOwn:
    async def test_everybody_has_an_inbox_and_a_number_at_the_bell(self, app, viewer_browser, worker):
        me = (await viewer_browser.client.get("/api/v1/me")).json()["user_id"]
        assert "bell-count" not in await viewer_browser.part("/notifications/unread")
        await worker.emit(what="<b>bold</b>", to_users=[me])
        await worker.dispatch()
        assert re.search(r'bell-count">\s*1', await viewer_browser.part("/notifications/unread"))
        page = await viewer_browser.page("/notifications/inbox")
        assert "&lt;b&gt;bold&lt;/b&gt;" in page
        assert 'href="/things/1"' in page
        await viewer_browser.page("/notifications", 403)
        read = re.search(r'action="(/notifications/inbox/[^"]+/read)"', page.replace("/inbox/read", ""))[1]
        assert (await viewer_browser.send(read)).status_code == 204
        assert "bell-count" not in await viewer_browser.part("/notifications/unread")

    async def test_preferences_are_kept(self, viewer_browser):
        address = "/account/notifications"
        fields = {
            "digest": "daily",
            "quiet_from": "22:00",
            "quiet_until": "07:00",
            "muted_events": "jobs.*, audit.*",
        }
        assert (await viewer_browser.send(address, **fields)).status_code == 204
        page = await viewer_browser.page(address)
        assert "jobs.*, audit.*" in page
        assert re.search(r'value="daily"\s+selected', page)
        wrong = await viewer_browser.send(address, **fields | {"quiet_until": ""})
        assert wrong.status_code == 422
        assert "ogether" in wrong.text
