"""Who is logged in, as a report of its own."""

from fleetkeeper_agent.collectors.system import SystemSource
from fleetkeeper_protocol.messages import LoginSession, SessionReport

MOST_SESSIONS = 1000


class SessionsCollector:
    """All login sessions of the moment."""

    name = "sessions"

    def __init__(self, source: SystemSource) -> None:
        self._source = source

    def report(self, wall_time: float) -> SessionReport:
        """The sessions now, oldest first. Raises UnavailableError."""
        unique = {(s.username, s.started_at, s.terminal, s.host): s for s in self._source.sessions()}
        ordered = sorted(unique.values(), key=_age)
        return SessionReport(ts=wall_time, sessions=ordered[:MOST_SESSIONS])


def _age(session: LoginSession) -> tuple[float, str, str]:
    return session.started_at, session.username, session.terminal
