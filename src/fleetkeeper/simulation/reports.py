"""What a simulated device tells besides telemetry and inventory: who it is, processes and login sessions."""

from collections.abc import Sequence
from typing import Final, TypeVar

import numpy as np

from fleetkeeper.simulation.fleet import Device, Fleet
from fleetkeeper.simulation.noise import derive, make_key, uniform
from fleetkeeper_protocol.messages import (
    EnrollRequest,
    LoginSession,
    Process,
    ProcessReport,
    ProcessSnapshot,
    SessionReport,
)

USERS: Final = (
    "amara",
    "bjorn",
    "chen",
    "dalia",
    "esteban",
    "fatima",
    "goran",
    "hana",
    "ines",
    "jonas",
    "kofi",
    "lena",
)
_Option = TypeVar("_Option")
_SESSION_SECONDS: Final = 21_600.0


def draws(fleet: Fleet, device: Device, salt: int, count: int) -> list[float]:
    """Numbers between 0 and 1 that follow from the device and the salt."""
    key = derive(np.full(1, make_key(fleet.seed, device.index), np.uint32), salt)
    return [float(value) for value in uniform(key, np.arange(count))]


def choose(options: Sequence[_Option], draw: float) -> _Option:
    """One of the options, by a number between 0 and 1."""
    return options[int(draw * len(options))]


def serial_number(device: Device) -> str:
    """The machine's serial number as its maker writes it."""
    if device.kind.virtualization == "vmware":
        digits = device.smbios_uuid.hex
        return "VMware-" + " ".join(digits[at : at + 2] for at in range(0, 32, 2))
    return device.smbios_uuid.hex[:10].upper()


def mac_address(device: Device, number: int) -> str:
    """The address of an interface."""
    digits = device.agent_id.hex[-8:]
    return ":".join(["02", f"{number:02x}", *(digits[at : at + 2] for at in range(0, 8, 2))])


def enroll_request(device: Device, token: str) -> EnrollRequest:
    """Return what a device says of itself when it enrolls."""
    return EnrollRequest(
        token=token,
        hostname=device.hostname,
        identities={
            "agent_id": str(device.agent_id),
            "machine_id": device.agent_id.hex,
            "smbios_uuid": str(device.smbios_uuid),
            "serial": serial_number(device),
            "mac": mac_address(device, 0),
            "fqdn": f"{device.hostname}.{device.domain}",
        },
    )


def process_report(fleet: Fleet, device: Device, now: float) -> ProcessReport:
    """Return the top processes of a device at `now` (epoch seconds, true time)."""
    minute = int(now // 60.0)
    listed = device.kind.processes
    memory = fleet.memory_bytes(device)
    steady = draws(fleet, device, 32, len(listed))
    lively = draws(fleet, device, 33 + minute, len(listed))
    boot = int(fleet.boot_time(device, now))
    user = USERS[device.index % len(USERS)]
    processes = []
    for number, (name, username, command) in enumerate(listed):
        worker = number >= 6  # the first six are the system's own, which take little
        share = (0.04 if worker else 0.002) * (0.5 + steady[number])
        processes.append(
            Process(
                pid=1 if number == 0 else 300 + (boot + 37 * number * number) % 31_000,
                name=name,
                username=username.format(user=user),
                command=command.format(n=number, user=user),
                cpu_percent=round((60.0 if worker else 1.5) * steady[number] * lively[number], 1),
                memory_bytes=int(share * memory) // 4096 * 4096,
                memory_percent=round(100.0 * share, 1),
                read_bytes_per_second=round(4e5 * lively[number] * worker, 1),
                write_bytes_per_second=round(9e5 * lively[number] * steady[number] * worker, 1),
            )
        )
    return ProcessReport([ProcessSnapshot(now + device.skew_seconds, processes)])


def session_report(fleet: Fleet, device: Device, now: float) -> SessionReport:
    """Return who is logged in at `now` (epoch seconds, true time): sessions last some hours."""
    sessions = []
    boot = fleet.boot_time(device, now)
    shift = draws(fleet, device, 34, 1)[0] * _SESSION_SECONDS
    period = int((now + shift) // _SESSION_SECONDS)
    begin = period * _SESSION_SECONDS - shift
    for number in range(device.kind.users):
        who, until, since = draws(fleet, device, 40 + 3 * period + number, 3)
        started = max(begin + 1800.0 * since, boot + 30.0)
        if started <= now < begin + _SESSION_SECONDS * (0.3 + 0.7 * until):
            is_console = device.kind.device_type == "workstation" and number == 0
            sessions.append(
                LoginSession(
                    username=USERS[device.index % len(USERS)] if is_console else USERS[int(who * len(USERS))],
                    started_at=float(round(started + device.skew_seconds)),
                    terminal="tty2" if is_console else f"pts/{number}",
                    host="" if is_console else f"10.200.{device.index % 250}.{number + 10}",
                )
            )
    return SessionReport(now + device.skew_seconds, sessions)
