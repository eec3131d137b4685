"""Settings as forms."""

import pytest

from fleetkeeper.console.settings_forms import GROUPS, entered_values, settings_form
from fleetkeeper.errors import FieldError


class TestForms:
    @pytest.mark.parametrize("key", GROUPS)
    def test_every_field_of_the_schema_is_on_the_form(self, key):
        form = settings_form(key, {})
        assert [field.name for field in form.fields] == [
            f"{key}-{name}" for name in GROUPS[key].schema.model_fields
        ]
        assert set(GROUPS[key].labels) == set(GROUPS[key].schema.model_fields)

    def test_an_error_stands_at_its_field(self):
        errors = [FieldError("sampling.interval_seconds", "is at least 1")]
        form = settings_form("sampling", {"interval_seconds": "0"}, errors=errors)
        assert [field.error for field in form.fields] == ["is at least 1", "", ""]

    def test_a_switch_that_is_off_is_not_sent(self):
        values = entered_values("features", {"features-gpu_enabled": "true"})
        assert values["gpu_enabled"] is True
        assert values["perf_events_enabled"] is False


class TestPage:
    async def test_saves_and_shows_what_was_saved(self, browser):
        fields = {
            "sampling-interval_seconds": "10",
            "sampling-process_interval_seconds": "60",
            "sampling-inventory_interval_seconds": "3600",
        }
        answer = await browser.send("/settings/sampling", **fields)
        assert answer.status_code == 200
        assert "Saved." in answer.text
        assert 'value="10"' in await browser.page("/settings")

    async def test_names_the_field_at_fault_and_keeps_what_was_entered(self, browser):
        answer = await browser.send("/settings/sampling", **{"sampling-interval_seconds": "-3"})
        assert answer.status_code == 422
        assert 'value="-3"' in answer.text
        assert 'id="sampling-interval_seconds-error"' in answer.text
        assert 'value="5"' in await browser.page("/settings")

    async def test_retention_is_edited_on_its_own_page_alone(self, browser):
        page = await browser.page("/settings")
        assert 'href="/settings/retention"' in page
        assert "days)" not in page
        assert (await browser.send("/settings/archive-policy")).status_code == 404

    async def test_works_without_scripts(self, browser):
        fields = {"csrf_token": browser.csrf_token, "features-gpu_enabled": "true"}
        answer = await browser.client.post("/settings/features", data=fields)
        assert answer.status_code == 303
        assert answer.headers["location"] == "/settings"

    async def test_needs_the_token(self, browser):
        answer = await browser.client.post("/settings/features", data={"features-gpu_enabled": "true"})
        assert answer.status_code == 403

    async def test_an_unknown_group_is_not_found(self, browser):
        assert (await browser.send("/settings/nothing")).status_code == 404

    async def test_a_viewer_sees_neither_the_page_nor_its_entry(self, viewer_browser):
        await viewer_browser.page("/settings", 403)
        assert 'href="/settings"' not in await viewer_browser.page("/devices")
