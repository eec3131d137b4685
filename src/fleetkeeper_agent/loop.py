"""The running agent: one thread samples, one delivers, one makes the slow reports."""

import logging
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from fleetkeeper_agent.backoff import Backoff
from fleetkeeper_agent.channel import Channel
from fleetkeeper_agent.clock import Clock, SystemClock
from fleetkeeper_agent.collectors.inventory import InventoryCollector, identities
from fleetkeeper_agent.collectors.registry import Features, Platform, frame_collectors, this_platform
from fleetkeeper_agent.configuration import Configuration
from fleetkeeper_agent.delivery import Delivery
from fleetkeeper_agent.enrolment import EnrolmentError, check_server, enrol, sends_in_clear
from fleetkeeper_agent.heartbeat import BEAT_SECONDS, beat
from fleetkeeper_agent.key_rotation import KeyRotation
from fleetkeeper_agent.reporter import Reporter
from fleetkeeper_agent.sampler import Sampler
from fleetkeeper_agent.schedule import TickSchedule
from fleetkeeper_agent.spool import Spool
from fleetkeeper_agent.state_files import AgentStatus, Credentials, KeptConfig, StateDirectory
from fleetkeeper_protocol.messages import AgentConfig

LOG = logging.getLogger(__name__)

LONGEST_START_JITTER_SECONDS = 1.0
FLUSH_SECONDS = 1.0
STATUS_EVERY_SECONDS = 30.0
CRASH_PAUSE_SECONDS = 5.0


class Agent:
    """All parts of one agent, for one enrolled device."""

    def __init__(
        self,
        state: StateDirectory,
        credentials: Credentials,
        platform: Platform,
        features: Features,
        clock: Clock,
    ) -> None:
        self._state = state
        self._credentials = credentials
        self._clock = clock
        self._features = features
        self._stopping = threading.Event()
        self._wake = threading.Event()
        kept = state.config()
        self._configuration = Configuration(kept, self._take_configuration)
        features.replace(self._configuration.current.features)
        self._spool = Spool(state.spool_path, clock.wall)
        self._channel = Channel(credentials.server, clock, credentials.device_key)
        self._rotation = KeyRotation(state, credentials, self._channel, clock)
        self._delivery = Delivery(self._channel, self._spool, self._configuration, clock)
        self._sampler = Sampler(frame_collectors(platform, self._delivery.figures), features, clock)
        self._reporter = Reporter(
            platform, features, self._configuration, self._delivery, self._sampler.statuses, clock
        )
        self._started_at = clock.wall()
        self._status_at = clock.monotonic()

    def run(self) -> None:
        """Sample until stopped; then deliver what a second allows and spool the rest."""
        threads = [
            threading.Thread(target=self._keep_on, args=(self._deliver, self._delivery.wake), daemon=True),
            threading.Thread(
                target=self._keep_on, args=(self._reporter.step, threading.Event()), daemon=True
            ),
        ]
        for thread in threads:
            thread.start()
        try:
            self._sample()
        finally:
            self._shut_down(threads[0])

    def stop(self) -> None:
        """Ask the agent to end; may be called from any thread."""
        self._stopping.set()
        self._wake.set()

    def _sample(self) -> None:
        interval = self._configuration.current.interval_seconds
        jitter = self._clock.uniform(0.0, min(interval, LONGEST_START_JITTER_SECONDS))
        schedule = TickSchedule(self._clock.monotonic() + jitter, interval)
        while not self._stopping.is_set():
            now = self._clock.monotonic()
            if self._configuration.current.interval_seconds != schedule.interval:
                schedule = TickSchedule(now, self._configuration.current.interval_seconds)
            pause = schedule.next_tick(now) - now
            if self._clock.wait(self._wake, min(pause, BEAT_SECONDS)):
                self._wake.clear()
                continue
            beat()
            if pause > BEAT_SECONDS:
                continue
            try:
                self._tick()
            except Exception:
                LOG.exception("an error that the agent does not know; the next tick tries again")

    def _tick(self) -> None:
        self._delivery.submit(self._sampler.frame())
        if self._clock.monotonic() >= self._status_at:
            self._status_at = self._clock.monotonic() + STATUS_EVERY_SECONDS
            self._write_status()

    def _deliver(self) -> float:
        self._rotation.step()
        return self._delivery.step()

    def _keep_on(self, step: Callable[[], float], wake: threading.Event) -> None:
        while not self._stopping.is_set():
            try:
                delay = step()
            except Exception:
                # A thread that dies would leave an agent that looks alive and reports nothing.
                LOG.exception("an error that the agent does not know; it goes on")
                delay = CRASH_PAUSE_SECONDS
            if delay > 0 and self._clock.wait(wake, delay):
                wake.clear()

    def _shut_down(self, deliverer: threading.Thread) -> None:
        self._stopping.set()
        self._delivery.wake.set()
        deadline = self._clock.monotonic() + FLUSH_SECONDS
        deliverer.join(FLUSH_SECONDS)
        if not deliverer.is_alive():
            flusher = threading.Thread(
                target=self._delivery.flush_live,
                args=(lambda: self._clock.monotonic() >= deadline,),
                daemon=True,
            )
            flusher.start()
            flusher.join(max(0.0, deadline - self._clock.monotonic()))
            deliverer = flusher
        self._delivery.save()
        self._write_status()
        self._sampler.close()
        if not deliverer.is_alive():
            self._channel.close()
        self._spool.close()
        LOG.info("stopped")

    def _take_configuration(self, config: AgentConfig, etag: str) -> None:
        self._features.replace(config.features)
        self._wake.set()
        try:
            self._state.keep_config(KeptConfig(etag, config))
        except OSError as error:
            LOG.warning("the configuration cannot be kept for the next start: %s", error)

    def _write_status(self) -> None:
        losses = [
            {
                "kind": loss.kind,
                "reason": loss.reason,
                "number": loss.number,
                "from": loss.first_ts,
                "to": loss.last_ts,
            }
            for loss in self._spool.losses()
        ]
        status = AgentStatus(
            pid=os.getpid(),
            server=self._credentials.server,
            device_id=self._credentials.device_id,
            started_at=self._started_at,
            written_at=self._clock.wall(),
            link=self._delivery.link,
            last_accepted_at=self._delivery.last_accepted_at,
            frames_sent=self._delivery.frames_sent,
            frames_waiting=self._delivery.figures().spooled_frames,
            losses=losses,
            collectors=self._reporter.statuses(),
        )
        try:
            self._state.keep_status(status)
        except OSError as error:
            LOG.warning("the status cannot be written: %s", error)


def enrol_this_machine(
    state: StateDirectory, server: str, token: str, platform: Platform, clock: Clock
) -> Credentials:
    """Enroll with what the machine tells about itself. Raises EnrolmentError."""
    address = check_server(server)
    if sends_in_clear(address):
        LOG.warning("%s is not encrypted: token, key and reports can be read on the way", address)
    inventory = InventoryCollector(platform.inventory).inventory()
    evidence = identities(inventory, state.agent_id())
    credentials = enrol(state, address, token, inventory.hostname[:255], evidence, clock)
    LOG.info("enrolled at %s as device %s", credentials.server, credentials.device_id)
    return credentials


def run_agent(
    state_directory: Path,
    *,
    server: str | None = None,
    token: str | None = None,
    stop: threading.Event | None = None,
    clock: Clock | None = None,
) -> int:
    """Run until SIGTERM, SIGINT or `stop`; enroll first if that has not been done. Return an exit code.

    Raises EnrolmentError, AlreadyRunningError.
    """
    clock = clock or SystemClock()
    stop = stop or threading.Event()
    state = StateDirectory(state_directory)
    features = Features()
    platform = this_platform(features)
    with state.locked():

        def end(number: int, _frame: object) -> None:
            LOG.info("signal %d: stopping", number)
            # A handler interrupts the main thread, which may hold this very event's lock at that moment.
            threading.Thread(target=stop.set, daemon=True).start()

        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, end)
        credentials = state.credentials()
        if credentials is None:
            credentials = _enrol_patiently(state, server, token, platform, clock, stop)
        elif server is not None and check_server(server) != credentials.server:
            LOG.warning("this device is enrolled at %s; %s is not used", credentials.server, server)
        if credentials is None:
            return 0
        agent = Agent(state, credentials, platform, features, clock)

        def follow_stop() -> None:
            stop.wait()
            agent.stop()

        threading.Thread(target=follow_stop, daemon=True).start()
        agent.run()
    return 0


def _enrol_patiently(
    state: StateDirectory,
    server: str | None,
    token: str | None,
    platform: Platform,
    clock: Clock,
    stop: threading.Event,
) -> Credentials | None:
    if server is None or token is None:
        raise EnrolmentError("this device is not enrolled; give --server and --token")
    backoff = Backoff(clock.uniform)
    while not stop.is_set():
        try:
            return enrol_this_machine(state, server, token, platform, clock)
        except EnrolmentError as error:
            if not error.temporary:
                raise
            # A machine often starts before its server does.
            delay = backoff.next_delay(error.retry_after)
            LOG.warning("%s; next try in %.0f s", error, delay)
            clock.wait(stop, delay)
    return None
