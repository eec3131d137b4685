"""Queries from a small grammar, the same for the same seed."""

import random

NAMES = (
    "http_requests_total", "temperature", "load", "flapping", "some_nan", "sparse", "rising", "up", "machine_info",
    "latency_seconds_bucket", "twin_a", "early", "size", "strange",
)  # fmt: skip
LABELS = ("instance", "job", "room", "code", "method", "missing")
RANGE_CALLS = (
    "rate", "increase", "irate", "delta", "idelta", "deriv", "changes", "resets", "avg_over_time", "min_over_time",
    "max_over_time", "sum_over_time", "count_over_time", "stddev_over_time", "last_over_time", "present_over_time",
)  # fmt: skip
CALLS = (
    "abs", "ceil", "floor", "sgn", "sqrt", "exp", "ln", "timestamp", "sort", "sort_desc", "round", "hour",
    "day_of_week",
)  # fmt: skip
CONDITIONS = (
    'instance="a:9100"', 'instance=~"[ab].*"', 'instance!="b:9100"', 'instance!~"c.*"', 'job="node"', 'room=""',
    'room!=""', 'code=~"2.."',
)  # fmt: skip


class Grammar:
    """Makes queries of a depth that it is told."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.weights = {
            self.leaf: 2,
            self.over_range: 5,
            self.call: 2,
            self.aggregate: 5,
            self.binary: 4,
            self.with_scalar: 3,
            self.set_operation: 2,
            self.compare: 2,
            self.quantile: 1,
            self.clamp: 1,
            self.minus: 1,
        }

    def query(self) -> str:
        return self.vector(self.chance.randint(1, 4))

    def vector(self, depth: int) -> str:
        if depth <= 0:
            return self.leaf(0)
        (kind,) = self.chance.choices(list(self.weights), list(self.weights.values()))
        return kind(depth - 1)

    def leaf(self, _: int) -> str:
        return self.selector() + self.moved()

    def over_range(self, depth: int) -> str:
        return f"{self.chance.choice(RANGE_CALLS)}({self.window(depth)})"

    def call(self, depth: int) -> str:
        return f"{self.chance.choice(CALLS)}({self.vector(depth)})"

    def aggregate(self, depth: int) -> str:
        op = self.chance.choice(("sum", "avg", "min", "max", "count", "stddev", "stdvar", "group"))
        return f"{op}{self.grouping()} ({self.vector(depth)})"

    def quantile(self, depth: int) -> str:
        return f"quantile{self.grouping()} ({self.number()}, {self.vector(depth)})"

    def binary(self, depth: int) -> str:
        op = self.chance.choice(("+", "-", "*", "/", "%"))
        return f"({self.vector(depth)}) {op} {self.matching(groups=True)} ({self.vector(depth)})"

    def set_operation(self, depth: int) -> str:
        op = self.chance.choice(("and", "or", "unless"))
        return f"({self.vector(depth)}) {op} {self.matching(groups=False)} ({self.vector(depth)})"

    def compare(self, depth: int) -> str:
        op = self.chance.choice(("==", "!=", ">", "<", ">=", "<=")) + self.chance.choice(("", " bool"))
        left, right = f"({self.vector(depth)})", self.scalar(depth)
        return f"{left} {op} {right}" if self.chance.random() < 0.7 else f"{right} {op} {left}"

    def with_scalar(self, depth: int) -> str:
        return f"({self.vector(depth)}) {self.chance.choice(('+', '-', '*', '/', '%', '^'))} {self.scalar(depth)}"

    def clamp(self, depth: int) -> str:
        return f"clamp_{self.chance.choice(('min', 'max'))}({self.vector(depth)}, {self.scalar(depth)})"

    def minus(self, depth: int) -> str:
        return f"-({self.vector(depth)})"

    def scalar(self, depth: int) -> str:
        pick = self.chance
        kind = pick.choice(("number", "number", "time", "scalar", "sum"))
        if kind == "time":
            return "(time() - 1700000000)"
        if kind == "scalar" and depth > 0:
            return f"scalar(max({self.vector(depth - 1)}))"
        if kind == "sum" and depth > 0:
            return f"({self.scalar(depth - 1)} + {self.scalar(depth - 1)})"
        return self.number()

    def number(self) -> str:
        return self.chance.choice(("0", "1", "2", "0.5", "0.9", "10", "1e3", "-1", "NaN", "Inf"))

    def selector(self) -> str:
        pick = self.chance
        conditions = [pick.choice(CONDITIONS)] if pick.random() < 0.3 else []
        return pick.choice(NAMES) + (f"{{{','.join(conditions)}}}" if conditions else "")

    def window(self, depth: int) -> str:
        pick = self.chance
        length = pick.choice(("30s", "1m", "95s", "5m", "12m"))
        if depth > 0 and pick.random() < 0.4:
            step = pick.choice(("", "15s", "1m", "37s"))
            return f"({self.vector(depth - 1)})[{length}:{step}]{self.moved()}"
        return f"{self.selector()}[{length}]{self.moved()}"

    def moved(self) -> str:
        pick = self.chance
        text = ""
        if pick.random() < 0.1:
            text += f" @ {pick.choice(('1700003000', '1700004321.5', 'start()', 'end()'))}"
        if pick.random() < 0.15:
            text += f" offset {pick.choice(('1m', '-1m', '10m', '7s'))}"
        return text

    def labels(self, most: int = 2) -> str:
        return ", ".join(self.chance.sample(LABELS, self.chance.randint(0, most)))

    def grouping(self) -> str:
        return self.chance.choice(("", f" by ({self.labels()})", f" without ({self.labels()})"))

    def matching(self, *, groups: bool) -> str:
        pick = self.chance
        kind = pick.choice(("", "on", "ignoring"))
        if not kind:
            return ""
        text = f"{kind} ({self.labels()})"
        if groups and pick.random() < 0.4:
            include = pick.choice(("", " (version)", " (os)"))
            text += f" {pick.choice(('group_left', 'group_right'))}{include}"
        return text


def generated_queries(count: int, seed: int = 7) -> list[str]:
    """Different queries."""
    grammar = Grammar(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        found.setdefault(grammar.query())
    return list(found)
