"""The command: its options, its summary, its errors."""

import io
import json

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from fleetkeeper.cli import simulate as command
from fleetkeeper.errors import StartupError
from fleetkeeper.simulation.encoding import Compression
from fleetkeeper.simulation.player import Tempo
from fleetkeeper.simulation.tally import Latencies, Tally, without_numbers


@pytest.fixture
def app():
    application = typer.Typer()
    application.command()(command.simulate)
    return application


@pytest.fixture
def played(monkeypatch):
    """Replace the simulation itself; returns the options that it got."""
    seen = []

    async def play(options, clock, display, local_token, local_api_token):
        seen.append(options)
        tally = Tally()
        tally.requests = 2
        tally.reject("ts: 3600 seconds ahead", 5)
        return {"broken_clocks": 1, "live": tally.as_dict(1.0) | {"generator_cpu_seconds": 0.1}}

    monkeypatch.setattr(command, "simulate_fleet", play)
    return seen


def test_options_reach_the_simulation(app, played, tmp_path):
    arguments = [
        "--devices",
        "7",
        "--interval",
        "5s",
        "--seed",
        "3",
        "--server",
        "http://host:1",
        "--backfill",
        "7d",
    ]
    arguments += ["--duration", "10m", "--token", "t", "--state", str(tmp_path), "--compression", "gzip"]
    outcome = CliRunner().invoke(app, arguments)
    assert outcome.exit_code == 0, outcome.output
    (options,) = played
    assert (options.devices, options.seed, options.server) == (7, 3, "http://host:1")
    assert (options.backfill_seconds, options.duration_seconds) == (604_800.0, 600.0)
    assert (options.enrolment_token, options.api_token, options.state_folder) == ("t", None, tmp_path)
    assert options.tempo == Tempo(interval_seconds=5.0)
    assert options.compression is Compression.GZIP


def test_by_default_a_thousand_devices_play_until_they_are_stopped(app, played, monkeypatch, tmp_path):
    monkeypatch.setenv("FLEETKEEPER_HOME", str(tmp_path))
    assert CliRunner().invoke(app, []).exit_code == 0
    (options,) = played
    assert (options.devices, options.backfill_seconds, options.duration_seconds) == (1000, 0.0, None)
    assert options.state_folder == tmp_path / "simulation"
    assert options.tempo == Tempo()


def test_the_summary_names_what_was_rejected_and_why(app, played):
    outcome = CliRunner().invoke(app, [])
    assert "5 x ts: N seconds ahead" in outcome.output
    assert "broken clock: 1" in outcome.output


def test_json_is_all_that_stands_on_standard_output(app, played):
    outcome = CliRunner().invoke(app, ["--json"])
    assert json.loads(outcome.stdout)["live"]["rejected"] == {"ts: N seconds ahead": 5}


@pytest.mark.parametrize("arguments", [["--interval", "soon"], ["--interval", "0.01s"], ["--devices", "0"]])
def test_wrong_options_are_named(app, played, arguments):
    outcome = CliRunner().invoke(app, arguments)
    assert outcome.exit_code == 2
    assert arguments[0] in outcome.output
    assert not played


def test_an_address_that_is_none_is_a_clear_error(app, tmp_path):
    outcome = CliRunner().invoke(app, ["--server", "somewhere", "--state", str(tmp_path)])
    assert isinstance(outcome.exception, StartupError)
    assert "http://host:port" in str(outcome.exception)


def test_progress_and_status_are_lines_where_there_is_no_terminal():
    output = io.StringIO()
    display = command.RichDisplay(Console(file=output, width=80))
    with display.progress("Backfill", 10) as advance:
        advance(10)
    display.status("[5 req/s]")
    assert "10/10" in output.getvalue()
    assert "[5 req/s]\n" in output.getvalue()


def test_quantiles_are_right_within_three_per_cent():
    latencies = Latencies()
    assert latencies.quantile(0.5) is None
    for value in range(1, 1001):
        latencies.add(float(value))
    assert latencies.quantile(0.5) == pytest.approx(500.0, rel=0.03)
    assert latencies.quantile(0.99) == pytest.approx(990.0, rel=0.03)


def test_reasons_are_counted_without_their_numbers():
    assert without_numbers("ts: 7200 seconds ahead of 2026-11-21") == "ts: N seconds ahead of N"
    assert without_numbers("HTTP 422; frames.17.ts is wrong") == "HTTP 422; frames.N.ts is wrong"
