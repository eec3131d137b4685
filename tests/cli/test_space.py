"""`fleetkeeper telemetry space` on a running product."""

import re

from tests.cli.test_administration import read, run


class TestSpace:
    def test_measured(self, product):
        report = read(product, "telemetry", "space", "--measure")
        tiers = {tier["tier"]: tier for tier in report["space"]["tiers"]}
        assert set(tiers) == {"hot", "sealed", "rollups", "archive"}
        assert tiers["hot"]["size_bytes"] > 0
        assert report["space"]["size_bytes"] == sum(tier["size_bytes"] for tier in tiers.values())
        assert report["cardinality"]["max_channels_per_device"] == 5000
        text = run(product, "telemetry", "space").stdout
        assert "Tier" in text
        assert "Sealing" in text
        assert "Next measurement at" in text
        assert "KiB" in text or "MiB" in text
        assert not re.search(r"\d [kMG]B\b", text)
