"""The slow reports: processes, sessions and the inventory, in a thread of their own."""

import math
from collections.abc import Callable

from fleetkeeper_agent.clock import Clock
from fleetkeeper_agent.collectors.inventory import InventoryCollector, within_bounds
from fleetkeeper_agent.collectors.processes import ProcessesCollector
from fleetkeeper_agent.collectors.registry import Features, Platform
from fleetkeeper_agent.collectors.sessions import SessionsCollector
from fleetkeeper_agent.collectors.supervision import OK, Supervision
from fleetkeeper_agent.configuration import Configuration
from fleetkeeper_agent.delivery import Delivery
from fleetkeeper_agent.platforms.nvidia import gpu_models
from fleetkeeper_agent.schedule import TickSchedule
from fleetkeeper_protocol.messages import CollectorStatus, InventoryReport, LoginSession

# The first frame is there by then, and with it the state of the collectors.
FIRST_INVENTORY_SECONDS = 3.0
INVENTORY_PAUSE_SECONDS = 60.0
# Sessions are sent when they change, and now and then all the same, so that the server sees they go on.
SESSIONS_AT_LEAST_EVERY_SECONDS = 600.0
MOST_STATUSES = 100
LONGEST_PAUSE_SECONDS = 5.0


class Reporter:
    """One step at a time: what is due is collected and handed to the delivery."""

    def __init__(
        self,
        platform: Platform,
        features: Features,
        configuration: Configuration,
        delivery: Delivery,
        collector_statuses: Callable[[], list[CollectorStatus]],
        clock: Clock,
    ) -> None:
        self._features = features
        self._configuration = configuration
        self._delivery = delivery
        self._collector_statuses = collector_statuses
        self._clock = clock
        self._processes = ProcessesCollector(platform.processes, lambda: features.is_on("process_arguments"))
        self._sessions = SessionsCollector(platform.system)
        self._inventory = InventoryCollector(platform.inventory, gpu_models, self._capabilities)
        self._supervisions = {
            collector.name: Supervision(collector.name)
            for collector in (self._processes, self._sessions, self._inventory)
        }
        self._started = clock.monotonic()
        self._process_at = self._started
        self._inventory_at = self._started + FIRST_INVENTORY_SECONDS
        self._inventory_sent_at = -math.inf
        self._reported_states: list[tuple[str, str]] = []
        self._sessions_sent: list[LoginSession] | None = None
        self._sessions_sent_at = -math.inf

    def step(self) -> float:
        """Make the reports that are due; return the seconds until the next look."""
        now = self._clock.monotonic()
        config = self._configuration.current
        if now >= self._process_at:
            self._process_at = TickSchedule(self._started, config.process_interval_seconds).next_tick(now)
            self._report_processes(now)
            self._report_sessions(now)
        changed = self._states() != self._reported_states and now >= self._started + FIRST_INVENTORY_SECONDS
        if now >= self._inventory_at or (
            changed and now >= self._inventory_sent_at + INVENTORY_PAUSE_SECONDS
        ):
            self._inventory_at = now + config.inventory_interval_seconds
            self._report_inventory(now)
        # A shorter interval may come with the next configuration, so no pause is long.
        self._process_at = min(self._process_at, now + config.process_interval_seconds)
        self._inventory_at = min(self._inventory_at, now + config.inventory_interval_seconds)
        return max(0.0, min(LONGEST_PAUSE_SECONDS, self._process_at - now, self._inventory_at - now))

    def statuses(self) -> list[CollectorStatus]:
        """What works and what does not, of frames and of reports."""
        own = [supervision.own_status() for supervision in self._supervisions.values()]
        return [*self._collector_statuses(), *own][:MOST_STATUSES]

    def _supervised(self, name: str) -> Supervision:
        supervision = self._supervisions[name]
        if supervision.switch(on=self._features.is_on(name)) and name == self._processes.name:
            self._processes.close()
        return supervision

    def _report_processes(self, now: float) -> None:
        supervision = self._supervised(self._processes.name)
        snapshot = supervision.run(now, lambda: self._processes.snapshot(now, round(self._clock.wall(), 3)))
        if snapshot is not None:
            self._delivery.submit_processes(snapshot)

    def _report_sessions(self, now: float) -> None:
        supervision = self._supervised(self._sessions.name)
        report = supervision.run(now, lambda: self._sessions.report(round(self._clock.wall(), 3)))
        if report is None:
            return
        if (
            report.sessions != self._sessions_sent
            or now >= self._sessions_sent_at + SESSIONS_AT_LEAST_EVERY_SECONDS
        ):
            self._sessions_sent, self._sessions_sent_at = report.sessions, now
            self._delivery.submit_sessions(report)

    def _report_inventory(self, now: float) -> None:
        self._inventory_sent_at = now
        inventory = self._supervised(self._inventory.name).run(now, self._inventory.inventory)
        if inventory is not None:
            self._reported_states = self._states()
            self._delivery.submit_inventory(within_bounds(InventoryReport(inventory, self.statuses())))

    def _states(self) -> list[tuple[str, str]]:
        # Without the reasons: the text of an error may differ each time.
        return [(status.name, status.status) for status in self.statuses()]

    def _capabilities(self) -> dict[str, bool]:
        working = {status.name: status.status == OK for status in self.statuses() if "." not in status.name}
        return {**working, "remote_commands": False}
