"""`fleetkeeper simulate` beside a running installation: it helps itself to a token."""

import json
import subprocess
import sys

import psycopg

from tests.fixtures.product import Product, free_port


def test_plays_a_fleet_without_a_token(product: Product, tmp_path):
    # A process of its own, which has imported nothing that the command itself does not.
    # It finds the installation's own port by itself.
    arguments = ["simulate", "--devices", "3", "--backfill", "5m", "--duration", "0", "--json"]
    outcome = subprocess.run(
        [sys.executable, "-m", "fleetkeeper", *arguments, "--state", str(tmp_path)],
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


def test_says_at_once_that_nothing_answers_and_makes_no_token(product: Product, tmp_path):
    tokens = "SELECT count(*) FROM enrollment_tokens"
    with psycopg.connect(product.database_url) as connection:
        before = connection.execute(tokens).fetchone()
    port = free_port()
    outcome = product.command(
        "simulate", "--devices", "3", "--server", f"http://127.0.0.1:{port}", "--state", str(tmp_path)
    )
    assert outcome.returncode != 0
    assert f"Nothing answers at http://127.0.0.1:{port}" in outcome.stderr
    with psycopg.connect(product.database_url) as connection:
        assert connection.execute(tokens).fetchone() == before
