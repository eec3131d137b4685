"""`fleetkeeper archive …` and `fleetkeeper telemetry delete` on a running product."""

import json

from tests.cli.test_administration import read, refused, run


class TestArchive:
    def test_policies(self, product):
        made = read(
            product, "archive", "policies", "set", "--name", "Short", "--metric-group", "gpu", "--raw", "20",
            "--archive-after", "5", "--reason", "to save space",
        )  # fmt: skip
        assert (made["raw_days"], made["archive_after_days"], made["metric_group"]) == (20, 5, "gpu")
        changed = read(product, "archive", "policies", "set", str(made["id"]), "--raw", "never")
        assert (changed["raw_days"], changed["archive_after_days"]) == (None, 5)
        assert made["id"] in [one["id"] for one in read(product, "archive", "policies", "list")]
        assert "archive_after_days" in refused(
            product, "archive", "policies", "set", str(made["id"]), "--raw", "3"
        )
        assert read(product, "archive", "policies", "delete", str(made["id"]))["done"]

    def test_runs_and_files(self, product):
        done = read(product, "archive", "run", "--yes")
        assert (done["state"], done["outcome"]["errors"]) == ("done", [])
        assert done["id"] in [one["id"] for one in read(product, "job", "runs", "--job", "telemetry.retain")]
        # Other tests may have left files; whole ones.
        live = [one for one in read(product, "archive", "files") if one.get("state", "live") == "live"]
        verified = read(product, "archive", "verify")
        assert verified["problems"] == []
        assert (verified["files"] > 0) == bool(live)
        assert "archive" in read(product, "archive", "status")["place"]
        assert read(product, "archive", "dry-run")["lines"] == []
        assert "Nothing is due" in run(product, "archive", "dry-run").stdout


class TestDeletion:
    STRANGER = "0198f6a0-0000-7000-8000-000000000001"

    def test_of_a_device_that_is_not_there(self, product):
        assert "There is no device" in refused(
            product, "telemetry", "delete", "--device", self.STRANGER, "--dry-run"
        )

    def test_a_wrong_day(self, product):
        message = refused(product, "telemetry", "delete", "--device", self.STRANGER, "--from", "yesterday")
        assert "--from" in message

    def test_of_one_metric(self, product):
        import psycopg

        from tests.factories.telemetry import add_frames, make_channels, make_device, make_layout

        with psycopg.connect(product.database_url, autocommit=True) as connection:
            device = make_device(connection)
            layout = make_layout(connection, device, make_channels(connection, "deleted", "kept"))
            add_frames(connection, device, layout, {1_700_000_000_000_000: [1.0, 2.0]})
        told = read(product, "telemetry", "delete", "--device", str(device), "--dry-run")
        assert told["frames"] == 1
        assert "--reason" in refused(product, "telemetry", "delete", "--device", str(device), "--yes")
        arguments = ("--device", str(device), "--metric", "deleted", "--reason", "a test", "--yes")
        found = json.loads(run(product, "telemetry", "delete", *arguments, "--json").stdout)
        assert (found["state"], found["outcome"]["chunks"]) == ("done", 1)
