"""Settings at run time: values, bounds, and the archive policy that goes with the retention."""

import pytest

PATH = "/api/v1/config"


class TestConfig:
    async def test_defaults_are_document_004_s(self, app, admin):
        values = (await admin.get(PATH)).json()
        assert values["sampling"]["interval_seconds"] == 5
        assert values["retention"] == {"days": 30, "archive_enabled": True}
        assert values["features"]["perf_events_enabled"] is True

    async def test_one_field_changes_and_the_others_stay(self, app, admin, connection):
        answer = await admin.patch(f"{PATH}/sampling", json={"interval_seconds": 10})
        assert answer.json()["interval_seconds"] == 10
        answer = await admin.patch(f"{PATH}/sampling", json={"process_interval_seconds": 60})
        assert (answer.json()["interval_seconds"], answer.json()["process_interval_seconds"]) == (10, 60)
        stored = connection.execute("SELECT value FROM config WHERE key = 'sampling'").fetchone()[0]
        assert stored["interval_seconds"] == 10

    @pytest.mark.parametrize(
        ("key", "changes", "field"),
        [
            ("sampling", {"interval_seconds": 0.5}, "sampling.interval_seconds"),
            ("sampling", {"interval_seconds": 3601}, "sampling.interval_seconds"),
            ("sampling", {"interval_seconds": "often"}, "sampling.interval_seconds"),
            ("sampling", {"interval_seconds": None}, "sampling.interval_seconds"),
            ("sampling", {"interval": 5}, "sampling.interval"),
            ("retention", {"days": 0}, "retention.days"),
            ("retention", {"days": 3651}, "retention.days"),
            ("retention", {"days": 1.5}, "retention.days"),
            ("retention", {"days": 10**30}, "retention.days"),
            ("features", {"gpu_enabled": "perhaps"}, "features.gpu_enabled"),
            ("features", {"a\x00b": True}, "features.a\x00b"),
        ],
    )
    async def test_bounds(self, shared, key, changes, field):
        before = (await shared.admin.get(PATH)).json()
        answer = await shared.admin.patch(f"{PATH}/{key}", json=changes)
        assert answer.status_code == 422
        assert [item["field"] for item in answer.json()["errors"]] == [field]
        assert (await shared.admin.get(PATH)).json() == before

    async def test_half_a_surrogate_pair_as_a_name(self, shared):
        headers = {"Content-Type": "application/json"}
        content = b'{"\\ud800": true}'
        answer = await shared.admin.patch(f"{PATH}/features", content=content, headers=headers)
        assert answer.status_code == 422

    @pytest.mark.parametrize("key", ["nothing", "__class__", "%00", "model_fields"])
    async def test_unknown_key(self, shared, key):
        assert (await shared.admin.patch(f"{PATH}/{key}", json={})).status_code == 404

    @pytest.mark.parametrize("body", [[], "x", None, 1])
    async def test_body_is_an_object(self, shared, body):
        assert (await shared.admin.patch(f"{PATH}/features", json=body)).status_code == 422


class TestRetention:
    async def test_both_places_stay_in_step(self, app, admin):
        await admin.patch(f"{PATH}/retention", json={"days": 7, "archive_enabled": False})
        policy = (await admin.get("/api/v1/archive-policy")).json()
        assert (policy["retention_days"], policy["archive_enabled"]) == (7, False)
        changes = {"retention_days": 90, "downsample_interval": "5 minutes"}
        policy = (await admin.patch("/api/v1/archive-policy", json=changes)).json()
        assert (policy["retention_days"], policy["downsample_interval"]) == (90, "5 minutes")
        retention = (await admin.get(PATH)).json()["retention"]
        assert retention == {"days": 90, "archive_enabled": False}

    @pytest.mark.parametrize(
        "changes",
        [{"retention_days": 0}, {"retention_days": 3651}, {"downsample_interval": "1 hour; DROP TABLE frames"},
         {"downsample_interval": "1 hour\n"}, {"downsample_after_days": 0}, {"id": 2}],
    )  # fmt: skip
    async def test_wrong_policy(self, shared, changes):
        answer = await shared.admin.patch("/api/v1/archive-policy", json=changes)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == next(iter(changes))
