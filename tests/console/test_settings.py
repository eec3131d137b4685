"""Settings as forms."""

import json

import pytest

from fleetkeeper.config.schemas import Features, Sampling
from fleetkeeper.console.settings_forms import FORMS


class TestForms:
    @pytest.mark.parametrize("key", FORMS)
    def test_every_field_of_the_schema_is_on_the_form(self, key):
        assert list(FORMS[key].widgets) == list(FORMS[key].model.model_fields)

    def test_a_number_has_the_bounds_of_the_schema(self):
        interval = FORMS["sampling"].shown("", Sampling()).entries[0]
        assert (interval.value, interval.minimum, interval.maximum) == ("5", "1", "3600")
        assert interval.hint == "1 to 3600"

    def test_a_switch_that_is_off_is_not_sent(self):
        values = FORMS["features"].read({"gpu_enabled": ["true"]})
        assert (values.gpu_enabled, values.perf_events_enabled) == (True, False)

    def test_who_may_not_change_them_reads_them_as_facts(self):
        said = {label: cell.text for label, cell in FORMS["features"].facts(Features()).facts}
        assert (said["Processes"], said["Network file systems"]) == ("On", "Off")


class TestPage:
    async def test_saves_and_shows_what_was_saved(self, browser):
        fields = {
            "interval_seconds": "10",
            "process_interval_seconds": "60",
            "inventory_interval_seconds": "3600",
        }
        answer = await browser.send("/settings/sampling", **fields)
        assert answer.status_code == 200
        assert json.loads(answer.headers["HX-Trigger"])["toast"]["text"] == "Sampling: saved."
        assert 'value="10"' in answer.text
        assert 'value="10"' in await browser.page("/settings")

    async def test_names_the_field_at_fault_and_keeps_what_was_entered(self, browser):
        answer = await browser.send("/settings/sampling", interval_seconds="-3")
        assert answer.status_code == 422
        assert 'value="-3"' in answer.text
        assert 'id="sampling-interval_seconds-error"' in answer.text
        assert 'value="5"' in await browser.page("/settings")

    async def test_retention_is_edited_on_its_own_page_alone(self, browser):
        page = await browser.page("/settings")
        assert 'href="/settings/retention"' in page
        assert 'name="archive_enabled"' not in page
        assert (await browser.send("/settings/archive-policy")).status_code == 404

    async def test_works_without_scripts(self, browser):
        fields = {"csrf_token": browser.csrf_token, "gpu_enabled": "true"}
        answer = await browser.client.post("/settings/features", data=fields)
        assert answer.status_code == 303
        assert answer.headers["location"] == "/settings"

    async def test_needs_the_token(self, browser):
        answer = await browser.client.post("/settings/features", data={"gpu_enabled": "true"})
        assert answer.status_code == 403

    async def test_an_unknown_group_is_not_found(self, browser):
        assert (await browser.send("/settings/nothing")).status_code == 404

    async def test_a_viewer_sees_neither_the_page_nor_its_entry(self, viewer_browser):
        await viewer_browser.page("/settings", 403)
        assert 'href="/settings"' not in await viewer_browser.page("/devices")
