"""`fleetkeeper simulate` beside a running installation: it helps itself to a token."""

import json
import subprocess
import sys

from tests.fixtures.product import Product


def test_plays_a_fleet_without_a_token(product: Product, tmp_path):
    # A process of its own, which has imported nothing that the command itself does not.
    arguments = ["simulate", "--devices", "3", "--backfill", "5m", "--duration", "0", "--json"]
    outcome = subprocess.run(
        [sys.executable, "-m", "fleetkeeper", *arguments, "--server", product.url, "--state", str(tmp_path)],
        env=product.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr
    summary = json.loads(outcome.stdout)
    assert summary["enrolment"]["accepted"] == 3
    assert summary["backfill"]["accepted"] > 50
