"""What templates of a rule ask by `query`, answered with the rule's eyes, within bounds.

Templates are rendered without waiting: what they ask for is noted, and they are rendered again once it is known. So a
query whose text another query gives is found out, too.
"""

from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic

from fleetkeeper.alerts.engine.asking import Asking
from fleetkeeper.alerts.templates.effort import Allowance
from fleetkeeper.alerts.templates.errors import FunctionError
from fleetkeeper.alerts.templates.values import Sample
from fleetkeeper.telemetry.promql.errors import PromqlError

# Of one rule at one instant, for all of its alerts.
MOST_QUERIES = 50
MOST_SECONDS = 5.0


@dataclass
class TemplateQueries:
    """The queries of a rule's templates at one instant."""

    asking: Asking
    at: datetime
    # What the templates may cost together: they must not hold up other rules.
    allowance: Allowance = field(default_factory=Allowance)
    # By text: samples, or why there are none.
    _known: dict[str, list[Sample] | str] = field(default_factory=dict)
    _wanted: dict[str, None] = field(default_factory=dict)
    _seconds_left: float = MOST_SECONDS

    def samples(self, text: str) -> list[Sample]:
        """What a query gives; nothing until `find_out` was called. Raises FunctionError."""
        known = self._known.get(text)
        if isinstance(known, str):
            raise FunctionError(known)
        if known is not None:
            return known
        if text not in self._wanted and len(self._known) + len(self._wanted) >= MOST_QUERIES:
            raise FunctionError(f"the templates of the rule make more than {MOST_QUERIES} queries at once")
        self._wanted[text] = None
        return []

    async def find_out(self) -> bool:
        """Find out what was asked for since the last time; returns whether that was anything."""
        wanted, self._wanted = self._wanted, {}
        for text in wanted:
            began = monotonic()
            self._known[text] = await self._ask(text)
            self._seconds_left -= monotonic() - began
        return bool(wanted)

    async def _ask(self, text: str) -> list[Sample] | str:
        if self._seconds_left <= 0:
            return f"queries of the rule's templates take longer than {MOST_SECONDS:.0f} seconds"
        try:
            answer = await self.asking.answer(text, self.at, self._seconds_left)
        except PromqlError as error:
            return str(error)
        if answer.kind not in {"vector", "scalar"}:
            return "query result is not a vector or scalar"
        return [Sample(dict(one.labels), float(one.values[-1])) for one in answer.series]
