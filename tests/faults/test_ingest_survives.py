"""Each acknowledged frame is stored exactly once, whichever process is killed."""

import contextlib
import itertools
import os
import signal
import time
from collections.abc import Iterator, Sequence
from uuid import UUID

import httpx
import psutil
import psycopg

from fleetkeeper.database.embedded import EmbeddedServer
from tests.faults.sending import FRAMES_PER_REQUEST, Sender, stored_frames
from tests.fixtures.product import Product, wait_for

SENDERS = 6
# Acknowledged after a fault by each sender, before the next one.
FRAMES_BETWEEN_FAULTS = 30
_numbers = itertools.count(1)


@contextlib.contextmanager
def sending(product: Product) -> Iterator[list[Sender]]:
    """Devices that report all the time."""
    enrolled = product.enroll(*(f"host-{next(_numbers)}" for _ in range(SENDERS)))
    senders = [
        Sender(
            product.url, device, key, ("cpu_usage_percent", f'disk_usage_percent{{mount="/{number % 3}"}}')
        )
        for number, (device, key) in enumerate(enrolled)
    ]
    for sender in senders:
        sender.start()
    try:
        yield senders
    finally:
        for sender in senders:
            sender.stop()


def wait_for_frames(senders: Sequence[Sender], seconds: float = 60) -> None:
    """Until each sender got frames acknowledged that it made after now."""
    now_us = time.time() * 1_000_000

    def flow() -> bool:
        recent = (sum(ts_us > now_us for _, ts_us in list(sender.acknowledged)) for sender in senders)
        return all(number >= FRAMES_BETWEEN_FAULTS for number in recent)

    wait_for("frames acknowledged", flow, seconds)


def assert_all_stored(product: Product, senders: Sequence[Sender]) -> None:
    """Every acknowledged frame is there once with its value; a refusal was never anything but "come back later"."""
    stored = stored_frames(product.database_url)
    for sender in senders:
        assert not sender.unexpected
        assert len(sender.acknowledged) >= FRAMES_BETWEEN_FAULTS
        for key, value in sender.acknowledged.items():
            assert stored.get(key) == [value], key
    # Nothing but what was sent: at most one request per sender was stored without its answer arriving.
    devices = {UUID(sender.device_id) for sender in senders}
    number = sum(device in devices for device, _ in stored)
    assert number <= sum(len(sender.acknowledged) + FRAMES_PER_REQUEST for sender in senders)


def parts(product: Product, command: str) -> list[psutil.Process]:
    """The supervisor's children of one kind."""
    assert product.process is not None
    found = psutil.Process(product.process.pid).children()
    return [process for process in found if _does(process, command)]


def _does(process: psutil.Process, command: str) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and command in process.cmdline()
    except psutil.NoSuchProcess:
        return False


def wait_for_parts(product: Product) -> None:
    """All of them run: after a fault some begin anew."""
    wait_for("two web processes", lambda: len(parts(product, "serve")) == 2)
    wait_for("worker", lambda: len(parts(product, "worker")) == 1)


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def kill_web_process(product: Product) -> None:
    wait_for_parts(product)
    kill(parts(product, "serve")[0].pid)


def kill_worker(product: Product) -> None:
    wait_for_parts(product)
    kill(parts(product, "worker")[0].pid)


def kill_database_backend(product: Product) -> None:
    """One that writes frames; PostgreSQL then ends all others too, and recovers."""
    with psycopg.connect(product.database_url) as connection:
        query = "SELECT pid FROM pg_stat_activity WHERE application_name = 'fleetkeeper writer'"
        found = connection.execute(query).fetchone()
    assert found, "nobody writes frames"
    kill(found[0])


def kill_postmaster(product: Product) -> None:
    kill(postmaster(product))


def postmaster(product: Product) -> int:
    return int((EmbeddedServer(product.home).data / "postmaster.pid").read_text().splitlines()[0])


def test_the_parts_are_killed(product: Product) -> None:
    """One after the other, while devices report all the time."""
    with sending(product) as senders:
        wait_for_frames(senders)
        for fault in (kill_web_process, kill_database_backend, kill_postmaster, kill_worker):
            fault(product)
            wait_for_frames(senders)
        wait_for_parts(product)
        wait_for("readiness", product.is_ready)
    assert_all_stored(product, senders)


def test_the_supervisor_is_killed(product: Product) -> None:
    """What it leaves behind does not hinder the next one, on the same port at once."""
    with sending(product) as senders:
        wait_for_frames(senders)
        wait_for_parts(product)
        left = [*parts(product, "serve"), *parts(product, "worker"), psutil.Process(postmaster(product))]
        product.kill()
        product.start()
        wait_for_frames(senders)
        assert not [process for process in left if process.is_running()]
    assert_all_stored(product, senders)


def test_the_database_does_not_come_back_at_once(product: Product) -> None:
    """As on a full disk: the rest runs on and says 503, and all goes on when the cause is gone."""
    data = EmbeddedServer(product.home).data
    before = len(product.output)
    with sending(product) as senders:
        wait_for_frames(senders)
        (data / "global").rename(data / "global.away")
        kill_postmaster(product)
        wait_for("a failed start", lambda: "the database does not start" in product.output[before:])
        assert httpx.get(f"{product.url}/health/ready", trust_env=False).status_code == 503
        assert httpx.get(f"{product.url}/health/live", trust_env=False).status_code == 200
        (data / "global.away").rename(data / "global")
        wait_for_frames(senders)
    assert_all_stored(product, senders)


def test_everything_is_killed_at_once(product: Product) -> None:
    """As a power cut does to processes; the database recovers from its log."""
    with sending(product) as senders:
        wait_for_frames(senders)
        assert product.process is not None
        everything = psutil.Process(product.process.pid).children(recursive=True)
        product.process.kill()
        for process in everything:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        product.process.wait()
        product.start()
        wait_for_frames(senders)
    assert_all_stored(product, senders)
