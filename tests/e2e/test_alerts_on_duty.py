"""Alerts in a browser: acknowledged with one thumb, silenced, and looked for by a rule that somebody makes."""

import re
from datetime import timedelta

import pytest
from playwright.async_api import expect
from sqlalchemy import select

from fleetkeeper.alerts.engine.evaluating import CONTEXT
from fleetkeeper.alerts.recording.models import RecordingRule
from fleetkeeper.identity.permissions import Role
from tests.alerts.conftest import measure, watch  # noqa: F401 - fixtures
from tests.e2e.browsers import NEEDS_BROWSER
from tests.factories.telemetry import make_device
from tests.fixtures.client import PASSWORD, make_user

pytestmark = NEEDS_BROWSER

HOT = {"kind": "threshold", "metric": "cpu_usage_percent", "threshold": 90}


@pytest.fixture
async def alert(watch, measure, connection):  # noqa: F811 - fixtures
    desk = make_device(connection, "desk")
    rule = await watch.rule(condition=HOT, severity="critical")
    await measure(desk, watch.now, cpu_usage_percent=95)
    await watch.evaluate(rule)
    (found,) = await watch.alerts()
    return found


@pytest.fixture
async def on_duty(app, visit):
    """Opens the browser of somebody who may respond to alerts and write rules."""
    await make_user(app.state.database, "olga", Role.ADMIN)

    async def sign_in(size):
        browser = await visit(size)
        await browser.sign_in("olga", PASSWORD)
        return browser

    return sign_in


async def test_acknowledged_on_a_phone(alert, on_duty):
    browser = await on_duty("phone")
    page = browser.page
    await browser.open("/")
    bell = page.get_by_role("link", name="Firing alerts")
    await expect(bell.locator(".bell-count")).to_contain_text("1")
    await bell.click()
    await expect(page).to_have_url(re.compile("status=firing"))
    assert await browser.is_within_its_width()
    await page.get_by_role("link", name=alert.name, exact=True).click()
    await expect(page.locator("#chart canvas")).to_be_visible()
    button = page.locator("#acknowledge button[type=submit]")
    # Without a turn of the page: whoever is woken up has one thumb.
    await expect(button).to_be_in_viewport()
    assert await browser.is_within_its_width()
    await button.click()
    await expect(page.locator("h1 + .cluster")).to_contain_text("Acknowledged")
    await expect(page.get_by_role("link", name="Firing alerts").locator(".bell-count")).to_have_count(0)
    assert not browser.problems


async def test_silenced_in_two_clicks(alert, on_duty):
    browser = await on_duty("phone")
    page = browser.page
    await browser.open(f"/alerts/{alert.alert_id}")
    await page.locator("#silence > summary").click()
    await page.locator("#silence button[type=submit]").click()
    await expect(page.locator("h1 + .cluster")).to_contain_text("Firing")
    await browser.open("/alerts/silences")
    await page.get_by_role("link", name=f"{alert.name} on desk").click()
    await expect(page.locator("#expire")).to_be_visible()
    assert await browser.is_within_its_width()
    await page.locator("#expire > summary").click()
    await page.locator("#expire button[type=submit]").click()
    await expect(page.locator("#silence").get_by_text("Expired")).to_be_visible()
    assert not browser.problems


async def test_rule_form_shows_what_its_choices_need(on_duty):
    browser = await on_duty("phone")
    page = browser.page
    await browser.open("/alerts/rules")
    form = page.locator("#new-rule form")
    await page.locator("#new-rule > summary").click()

    async def shown():
        fields = form.locator("[data-only-if]:visible [name]")
        return set(await fields.evaluate_all("fields => fields.map((field) => field.name)"))

    await expect(form.locator("[name=window_seconds]")).to_be_hidden()
    compared = {"metric", "matchers", "reduce", "op", "threshold", "recovery", "no_data"}
    assert await shown() == compared
    await form.locator("[name=reduce]").select_option("percentile")
    assert await shown() == compared | {"window_seconds", "percentile"}
    await form.locator("input[name=kind][value=no_report]").check()
    assert await shown() == {"what", "silence_seconds"}
    await form.locator("[name=what]").select_option("metric")
    assert await shown() == {"what", "silence_seconds", "what_name"}
    await form.locator("input[name=kind][value=state]").check()
    assert await shown() == {"metric", "matchers", "state_op", "state_value"}
    await form.locator("[name=state_op]").select_option("changed")
    assert await shown() == {"metric", "matchers", "state_op", "window_seconds"}
    assert await browser.is_within_its_width()
    assert not browser.problems


async def test_rule_is_previewed_before_it_is_saved(alert, watch, measure, on_duty):  # noqa: F811 - fixtures
    for minute in (12, 11, 10):
        await measure(alert.system_id, watch.now - timedelta(minutes=minute), cpu_usage_percent=80)
    await measure(alert.system_id, watch.now - timedelta(minutes=9), cpu_usage_percent=10)
    browser = await on_duty("phone")
    page = browser.page
    await browser.open("/alerts/rules")
    form = page.locator("#new-rule form")
    await page.locator("#new-rule > summary").click()
    await form.locator("[name=name]").fill("Warm")
    await form.locator("[name=metric]").fill("cpu_usage_percent")
    await form.locator("[name=threshold]").fill("75")
    await form.locator("[name=for_seconds]").fill("soon")
    await page.get_by_role("button", name="Preview").click()
    await expect(form.get_by_text("Enter a duration such as 30s, 5m or 1h")).to_be_visible()
    await form.locator("[name=for_seconds]").fill("0s")
    await form.locator("[name=preview_days]").select_option("1")
    await page.get_by_role("button", name="Preview").click()
    result = page.locator("[data-rule-preview]")
    await expect(result).to_contain_text("In the last 24 hours this rule would have fired")
    await expect(result.get_by_role("link", name="desk").first).to_be_visible()
    await expect(result.locator("[data-alert-chart] canvas")).to_be_visible()
    await expect(form.locator("[name=expr]")).to_be_hidden()
    assert await browser.is_within_its_width()
    await form.get_by_role("button", name="Create alert rule").click()
    await expect(page.get_by_role("heading", name="Warm")).to_be_visible()
    # The browser notes that the first preview was refused.
    assert all("422" in one for one in browser.problems)


async def test_expression_of_a_promql_rule_is_drawn(watch, measure, connection, on_duty):  # noqa: F811 - fixtures
    desk = make_device(connection, "desk")
    for minute in (3, 2, 1, 0):
        await measure(desk, watch.now - timedelta(minutes=minute), cpu_usage_percent=95)
    rule = await watch.rule(condition={"kind": "promql", "expr": "cpu_usage_percent > 90"})
    await watch.evaluate(rule)
    (alert,) = await watch.alerts()
    browser = await on_duty("phone")
    await browser.open(f"/alerts/{alert.alert_id}")
    await expect(browser.page.locator("#chart canvas")).to_be_visible()
    await expect(browser.page.locator("#chart .panel-legend")).to_contain_text("desk")
    assert await browser.is_within_its_width()
    assert not browser.problems


async def test_rule_is_made_for_what_its_kind_needs(on_duty):
    browser = await on_duty("desktop")
    page = browser.page
    await browser.open("/alerts/rules")
    form = page.locator("#new-rule form")
    await page.locator("#new-rule > summary").click()
    await expect(form.locator("[name=expr]")).to_be_hidden()
    await form.locator("[name=name]").fill("Queue is long")
    await form.locator("input[name=kind][value=promql]").check()
    await expect(form.locator("[name=threshold]")).to_be_hidden()
    await form.locator("[name=expr]").fill("queue_length > 100")
    await form.get_by_role("button", name="Create alert rule").click()
    await expect(page.get_by_role("heading", name="Queue is long")).to_be_visible()
    await expect(page.get_by_text("queue_length > 100")).to_be_visible()
    assert not browser.problems


async def test_silence_repeats_without_an_rrule(alert, on_duty):
    browser = await on_duty("phone")
    page = browser.page
    await browser.open("/alerts/silences")
    form = page.locator("#new-silence form")
    await page.locator("#new-silence > summary").click()
    zone = await page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
    await expect(form.locator("[name=time_zone]")).to_have_value("" if zone == "UTC" else zone)
    await form.locator("[name=time_zone]").select_option("Europe/Berlin")
    await form.locator("[name=name]").fill("Patch Sunday")
    await form.locator("[name=device]").press_sequentially("des")
    await expect(form.locator("datalist option[value=desk]")).to_be_attached()
    await form.locator("[name=device]").fill("desk")
    await form.locator("[name=starts_at]").fill("2026-11-01T02:00")
    await expect(form.locator("[name=week_days]").first).to_be_hidden()
    await form.locator("[name=repeats]").select_option("weekly")
    await form.locator("[name=week_days][value=SU]").check()
    await expect(form.locator("[name=rule]")).to_be_hidden()
    assert await browser.is_within_its_width()
    await form.locator("button[type=submit]").click()
    await expect(page.locator("#silence")).to_contain_text("Every Sunday 02:00\N{EN DASH}04:00 Europe/Berlin")
    await expect(page.locator("#silence").get_by_role("link", name="desk")).to_be_visible()
    assert await browser.is_within_its_width()
    assert not browser.problems


async def test_calendar_and_charts_show_what_happened(alert, on_duty):
    browser = await on_duty("phone")
    page = browser.page
    await browser.open("/alerts/calendar")
    await page.get_by_role("link", name="Create silence", exact=True).click()
    form = page.locator("#new-silence form")
    await form.locator("[name=name]").fill("Move to rack 4")
    await form.locator("[name=device]").fill("desk")
    await form.locator("[name=starts_at]").fill("")
    await form.locator("button[type=submit]").click()
    await expect(page.get_by_role("heading", name="Move to rack 4")).to_be_visible()
    await browser.open("/alerts/calendar")
    assert await browser.is_within_its_width()
    await expect(page.locator(".calendar-entry.is-active").first).to_contain_text("Move to rack 4")
    await browser.open(f"/devices/{alert.system_id}")
    menu = page.locator("[data-alert-marks]")
    await expect(menu.locator("summary")).to_contain_text("Alerts (1)")
    await menu.locator("summary").click()
    await expect(menu.get_by_role("link", name=alert.name)).to_have_attribute(
        "href", f"/alerts/{alert.alert_id}"
    )
    assert await browser.is_within_its_width()
    await menu.get_by_label("Show on charts").uncheck()
    await expect(menu.locator("summary")).to_have_text("Alerts")
    await page.reload()
    await expect(menu.locator("input")).not_to_be_checked()
    assert not browser.problems


async def test_several_rules_are_disabled_after_a_preview(alert, watch, on_duty):  # noqa: F811 - fixtures
    await watch.rule(name="Other", condition=HOT)
    browser = await on_duty("phone")
    page = browser.page
    await browser.open("/alerts/rules?q=Hot")
    await page.check("[data-select]")
    await page.get_by_role("button", name="Disable selected").click()
    await expect(page.get_by_text("Its firing alert is resolved.")).to_be_visible()
    assert await browser.is_within_its_width()
    await page.get_by_label("Reason").fill("Too loud")
    await page.get_by_role("button", name="Disable 1 alert rule").click()
    await expect(page.get_by_role("heading", name="Done")).to_be_visible()
    assert not browser.problems


async def test_recording_rule_is_drawn_and_disabled(watch, measure, connection, admin, on_duty):  # noqa: F811
    text = 'groups: [{name: cpu, rules: [{record: "cpu:sum", expr: sum(cpu_usage_percent)}]}]'
    assert (await admin.post("/api/v1/alert-rules/import?file=cpu.yml", content=text)).status_code == 200
    async with watch.engine.database.session(CONTEXT) as session:
        rule = (await session.scalars(select(RecordingRule))).one()
    await measure(make_device(connection, "desk"), watch.now, cpu_usage_percent=40)
    await watch.evaluate(rule)
    browser = await on_duty("phone")
    page = browser.page
    await browser.open("/alerts/recording-rules")
    await page.get_by_role("link", name="cpu:sum").click()
    await expect(page.locator("#chart canvas")).to_be_visible()
    assert await browser.is_within_its_width()
    page.once("dialog", lambda dialog: dialog.accept())
    await page.get_by_role("button", name="Disable").click()
    await expect(page.locator("h1 + .cluster")).to_contain_text("Disabled")
    assert not browser.problems
