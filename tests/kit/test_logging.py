"""Logs: in one form, without what must not be in them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = r"""
import logging, sys
import structlog
from fleetkeeper.kit.logging import configure_logging

def fail_with_a_secret():
    password = sys.argv[2]
    raise RuntimeError(len(password))

configure_logging("info", sys.argv[1])
structlog.get_logger().debug("a detail")
structlog.get_logger().info("enrolled", hostname="a\nlevel=error\x1b[2J")
for get_logger in (structlog.get_logger, logging.getLogger):
    try:
        fail_with_a_secret()
    except RuntimeError as error:
        get_logger("test").error("it failed", exc_info=error)
"""
SECRET = "correct horse battery"


def logs(style: str) -> str:
    """What a process of its own logs; the streams of this one belong to pytest."""
    command = [sys.executable, "-W", "error", "-c", PROGRAM, style, SECRET]
    outcome = subprocess.run(command, capture_output=True, text=True, check=True)
    assert outcome.stdout == ""
    return outcome.stderr


@pytest.mark.parametrize("style", ["text", "json"])
def test_logs(style):
    text = logs(style)
    lines = text.splitlines()
    assert "a detail" not in text
    # A value can neither forge a line nor drive the terminal.
    assert "enrolled" in lines[0]
    assert not lines[1].startswith("level=error")
    assert "\x1b" not in text
    # A trace names the place, and shows no values of variables.
    assert text.count("in fail_with_a_secret") == 2
    assert SECRET not in text
    if style == "json":
        documents = [json.loads(line) for line in lines]
        assert [item["level"] for item in documents] == ["info", "error", "error"]
        assert all(item["timestamp"].endswith("Z") for item in documents)


def test_a_log_that_cannot_be_written_stops_nobody():
    program = (
        "import structlog\n"
        "from fleetkeeper.kit.logging import configure_logging\n"
        "configure_logging('info', 'json')\n"
        "structlog.get_logger('test').warning('a line')\n"
        "structlog.get_logger('test').exception('another')\n"
        "print('still at work')\n"
    )
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=full, check=False, timeout=60
        )
    assert done.stdout == b"still at work\n"
