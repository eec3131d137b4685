"""Asks PromQL with a rule's eyes."""

from dataclasses import dataclass
from datetime import datetime

from fleetkeeper.identity.actor import Actor
from fleetkeeper.telemetry.promql.fleet_source import FleetSource, Sessions
from fleetkeeper.telemetry.promql.parameters import EPOCH
from fleetkeeper.telemetry.promql.queries import Answer, Query
from fleetkeeper.telemetry.promql.service import Promql
from fleetkeeper.telemetry.resample import SECOND


@dataclass(frozen=True)
class Asking:
    """Asks the engine with a rule's eyes."""

    promql: Promql
    sessions: Sessions
    actor: Actor

    async def answer(self, expr: str, at: datetime, timeout_seconds: float | None = None) -> Answer:
        """What an expression gives at an instant. Raises PromqlError."""
        settings = self.promql.settings
        source = FleetSource(self.sessions, self.actor, settings.max_series, settings.max_samples)
        moment = round((at - EPOCH).total_seconds() * 1000) * (SECOND // 1000)
        return await self.promql.engine.answer(
            Query.instant(expr, moment), source, timeout_seconds, user="alerts"
        )
