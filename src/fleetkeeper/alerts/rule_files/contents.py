"""What is in a rule file, as Prometheus 2.42 describes it (docs/configuration), and what can be wrong."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

MOST_PROBLEMS = 100


@dataclass(frozen=True)
class Places:
    """The line where a group or a rule begins, those of its fields, and which of these are known to be wrong."""

    first: int = 1
    fields: Mapping[str, int] = field(default_factory=dict)
    wrong: frozenset[str] = frozenset()

    def line_of(self, name: str) -> int:
        """Where a field is."""
        return self.fields.get(name, self.first)


@dataclass(frozen=True)
class FileRule:
    """A rule: `alert` or `record` has its name. Times are in milliseconds."""

    expr: str
    alert: str = ""
    record: str = ""
    for_ms: int = 0
    keep_firing_ms: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    places: Places = field(default_factory=Places, compare=False)

    @property
    def name(self) -> str:
        """What it is called."""
        return self.alert or self.record


@dataclass(frozen=True)
class FileGroup:
    """Rules that are evaluated one after the other; an interval of 0 is Prometheus' default."""

    name: str
    interval_ms: int = 0
    limit: int = 0
    query_offset_ms: int = 0
    rules: tuple[FileRule, ...] = ()
    places: Places = field(default_factory=Places, compare=False)


@dataclass(frozen=True)
class RuleFile:
    """All groups of a file."""

    groups: tuple[FileGroup, ...] = ()


@dataclass(frozen=True)
class Problem:
    """What is wrong, and where."""

    line: int
    group: str
    rule: str
    field: str
    message: str

    @property
    def place(self) -> str:
        """Where it is, such as `Line 6, group 'disk', rule 'Full', for`."""
        parts = [f"Line {self.line}"]
        parts += [f"group {self.group[:100]!r}"] if self.group else []
        parts += [f"rule {self.rule[:100]!r}"] if self.rule else []
        parts += [self.field] if self.field else []
        return ", ".join(parts)

    def __str__(self) -> str:
        """A sentence for people."""
        return f"{self.place}: {self.message}"


class RuleFileError(ValueError):
    """All that is wrong with a file, by line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda one: one.line)[:MOST_PROBLEMS])
        super().__init__("\n".join(map(str, self.problems)))
