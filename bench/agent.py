"""What the agent costs, as a table: runs `bench.agent_footprint`."""

from pathlib import Path

from bench import agent_footprint
from bench.options import Options
from bench.report import Section

_SHORTEST_SECONDS = 60.0


def run(options: Options, folder: Path) -> list[Section]:
    """Measure the agent at an interval of 5 s for at least a minute, as it sleeps most of the time."""
    del folder
    section = Section("Agent at 5 s (target: at most 1 % of a core, 60 MB)")
    for name, value in agent_footprint.measure(max(options.seconds, _SHORTEST_SECONDS), 5.0).items():
        section.add(what=name, value=value)
    return [section]
