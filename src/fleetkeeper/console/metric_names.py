"""Metrics, and states of agents, by the names that people type."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.contexts.panels import Option
from fleetkeeper.identity.actor import Actor
from fleetkeeper.telemetry.schemas import MetricRead
from fleetkeeper.telemetry.service import metric_catalogue

_SUGGESTED = 50
# What agents report besides metrics. What other sources report as states is not in the catalog.
_STATES = (Option("system_reboot_required", "State: true while the system needs a restart"),)


async def suggest_metrics(session: AsyncSession, actor: Actor, text: str) -> list[Option]:
    """Metrics that have all words in name or description; those whose name begins with the first come first."""
    words = text.casefold().split()
    first = words[0] if words else ""
    known = (await metric_catalogue(session, actor, None)).results
    found = [one for one in known if _holds(words, f"{one.name} {one.description}".casefold())]
    found.sort(key=lambda one: (not one.name.casefold().startswith(first), one.name))
    options = [Option(one.name, _about(one)) for one in found[:_SUGGESTED]]
    return [
        *options,
        *(one for one in _STATES if words and _holds(words, f"{one.value} {one.label}".casefold())),
    ]


def _holds(words: Sequence[str], text: str) -> bool:
    return all(word in text for word in words)


def _about(metric: MetricRead) -> str:
    return " · ".join(part for part in (metric.description, metric.unit) if part)
