"""The command `fleetkeeper-agent`."""

import argparse
import logging
import os
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from fleetkeeper_agent.clock import SystemClock
from fleetkeeper_agent.collectors.agent_self import DeliveryFigures
from fleetkeeper_agent.collectors.collector import UnavailableError
from fleetkeeper_agent.collectors.inventory import InventoryCollector
from fleetkeeper_agent.collectors.processes import ProcessesCollector
from fleetkeeper_agent.collectors.registry import Features, Platform, frame_collectors, this_platform
from fleetkeeper_agent.collectors.sessions import SessionsCollector
from fleetkeeper_agent.enrolment import EnrolmentError
from fleetkeeper_agent.loop import enrol_this_machine, run_agent
from fleetkeeper_agent.platforms.nvidia import gpu_models
from fleetkeeper_agent.sampler import Sampler
from fleetkeeper_agent.spool import FRAME, Spool
from fleetkeeper_agent.state_files import AlreadyRunningError, StateDirectory, default_state_directory
from fleetkeeper_agent.version import AGENT_VERSION

TOKEN_VARIABLE = "FLEETKEEPER_AGENT_TOKEN"  # noqa: S105 - the name of the variable, not a token
BETWEEN_SAMPLES_SECONDS = 1.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        stream=sys.stderr,
    )
    # One line for each request would drown what matters.
    for noisy in ("httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    commands = {"enroll": _enroll, "run": _run, "show": _show, "status": _status}
    try:
        return commands[options.command](options)
    except (EnrolmentError, AlreadyRunningError, PermissionError) as error:
        sys.stderr.write(f"fleetkeeper-agent: {error}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--state", type=Path, default=None, help="directory for key, spool and status")
    common.add_argument("--verbose", action="store_true", help="say more on standard error")
    parser = argparse.ArgumentParser(prog="fleetkeeper-agent", description=__doc__)
    parser.add_argument("--version", action="version", version=AGENT_VERSION)
    commands = parser.add_subparsers(dest="command", required=True)
    enroll = commands.add_parser("enroll", parents=[common], help="get this machine a key of its own")
    run = commands.add_parser("run", parents=[common], help="measure and report until stopped")
    for command, required in ((enroll, True), (run, False)):
        command.add_argument(
            "--server", required=required, help="address of the server, such as https://fleet.example"
        )
        command.add_argument("--token", help=f"enrollment token; safer in the variable {TOKEN_VARIABLE}")
    enroll.add_argument(
        "--replace", action="store_true", help="enroll again, as a new device, although there is a key"
    )
    commands.add_parser("show", parents=[common], help="print one collection, without a server")
    commands.add_parser("status", parents=[common], help="print how the running agent does")
    return parser


def _state(options: argparse.Namespace) -> StateDirectory:
    return StateDirectory(options.state or default_state_directory())


def _token(options: argparse.Namespace) -> str | None:
    return options.token or os.environ.get(TOKEN_VARIABLE)


def _enroll(options: argparse.Namespace) -> int:
    token = _token(options)
    if not token:
        raise EnrolmentError(f"give --token, or set {TOKEN_VARIABLE}")
    state = _state(options)
    with state.locked():
        known = state.credentials()
        if known is not None and not options.replace:
            raise EnrolmentError(
                f"already enrolled at {known.server} as {known.device_id}; "
                "add --replace to enroll again, as a new device"
            )
        credentials = enrol_this_machine(
            state, options.server, token, this_platform(Features()), SystemClock()
        )
    sys.stdout.write(f"{credentials.device_id}\n")
    return 0


def _run(options: argparse.Namespace) -> int:
    return run_agent(
        options.state or default_state_directory(),
        server=options.server,
        token=_token(options),
        stop=threading.Event(),
    )


def _show(_options: argparse.Namespace) -> int:
    features = Features()
    _print(one_collection(this_platform(features), features, BETWEEN_SAMPLES_SECONDS))
    return 0


def one_collection(platform: Platform, features: Features, pause_seconds: float) -> dict[str, Any]:
    """Everything that the agent can tell; rates are over the pause between two samples."""
    clock = SystemClock()
    sampler = Sampler(frame_collectors(platform, lambda: DeliveryFigures(0, 0, 0)), features, clock)
    processes, sessions = ProcessesCollector(platform.processes), SessionsCollector(platform.system)
    sampler.frame()
    processes.snapshot(clock.monotonic(), clock.wall())
    clock.wait(threading.Event(), pause_seconds)
    frame = sampler.frame()
    snapshot = processes.snapshot(clock.monotonic(), clock.wall())
    try:
        logins: object = sessions.report(clock.wall()).sessions
    except UnavailableError as error:
        logins = error.reason
    found = {
        "ts": frame.ts,
        "values": frame.values,
        "collectors": sampler.statuses(),
        "processes": snapshot.processes if snapshot is not None else [],
        "sessions": logins,
        "inventory": InventoryCollector(platform.inventory, gpu_models).inventory(),
    }
    sampler.close()
    return found


def _status(options: argparse.Namespace) -> int:
    state = _state(options)
    credentials, status = state.credentials(), state.status()
    if credentials is None:
        _print({"enrolled": False, "state": str(state.path)})
        return 1
    running = _is_locked(state)
    waiting = None
    if not running and state.spool_path.exists():
        spool = Spool(state.spool_path, time.time)
        waiting = spool.waiting(FRAME)
        spool.close()
    _print(
        {
            "enrolled": True,
            "running": running,
            "state": str(state.path),
            "server": credentials.server,
            "device_id": credentials.device_id,
            "frames_waiting": status.frames_waiting if waiting is None and status is not None else waiting,
            "last": status,
        }
    )
    return 0 if running else 3


def _is_locked(state: StateDirectory) -> bool:
    try:
        with state.locked():
            return False
    except AlreadyRunningError:
        return True


def _print(found: object) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n")


if __name__ == "__main__":
    sys.exit(main())
