"""Queries from a small grammar, the same for the same seed."""

import random

NAMES = (
    "http_requests_total", "temperature", "load", "flapping", "some_nan", "sparse", "rising", "up", "machine_info",
    "latency_seconds_bucket", "twin_a", "early", "size", "strange",
)  # fmt: skip
LABELS = ("instance", "job", "room", "code", "method", "missing")
RANGE_CALLS = (
    "rate increase irate delta idelta deriv changes resets avg_over_time min_over_time max_over_time sum_over_time "
    "count_over_time stddev_over_time last_over_time present_over_time"
).split()
CALLS = "abs ceil floor sgn sqrt exp ln timestamp sort sort_desc round hour day_of_week".split()


class Grammar:
    """Makes queries of a depth that it is told."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def query(self) -> str:
        return self.vector(self.chance.randint(1, 4))

    def vector(self, depth: int) -> str:
        pick = self.chance
        if depth <= 0:
            return self.selector() + self.moved()
        kind = pick.choices(
            (
                "selector",
                "range",
                "call",
                "aggregate",
                "binary",
                "scalar",
                "set",
                "compare",
                "ranked",
                "clamp",
                "minus",
            ),
            (2, 5, 2, 5, 4, 3, 2, 2, 1, 1, 1),
        )[0]
        if kind == "selector":
            return self.selector() + self.moved()
        if kind == "range":
            return f"{pick.choice(RANGE_CALLS)}({self.window(depth - 1)})"
        if kind == "call":
            return f"{pick.choice(CALLS)}({self.vector(depth - 1)})"
        if kind == "aggregate":
            op = pick.choice(("sum", "avg", "min", "max", "count", "stddev", "stdvar", "group"))
            return f"{op}{self.grouping()} ({self.vector(depth - 1)})"
        if kind == "ranked":
            return f"quantile{self.grouping()} ({self.number()}, {self.vector(depth - 1)})"
        if kind == "binary":
            op = pick.choice(("+", "-", "*", "/", "%"))
            return f"({self.vector(depth - 1)}) {op} {self.matching(groups=True)} ({self.vector(depth - 1)})"
        if kind == "set":
            op = pick.choice(("and", "or", "unless"))
            return f"({self.vector(depth - 1)}) {op} {self.matching(groups=False)} ({self.vector(depth - 1)})"
        if kind == "compare":
            op = pick.choice(("==", "!=", ">", "<", ">=", "<=")) + pick.choice(("", " bool"))
            left, right = f"({self.vector(depth - 1)})", self.scalar(depth - 1)
            return f"{left} {op} {right}" if pick.random() < 0.7 else f"{right} {op} {left}"
        if kind == "scalar":
            return f"({self.vector(depth - 1)}) {pick.choice(('+', '-', '*', '/', '%', '^'))} {self.scalar(depth - 1)}"
        if kind == "clamp":
            return f"clamp_{pick.choice(('min', 'max'))}({self.vector(depth - 1)}, {self.scalar(depth - 1)})"
        return f"-({self.vector(depth - 1)})"

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
        conditions = []
        if pick.random() < 0.3:
            conditions.append(
                pick.choice(
                    (
                        'instance="a:9100"', 'instance=~"[ab].*"', 'instance!="b:9100"', 'instance!~"c.*"', 'job="node"',
                        'room=""', 'room!=""', 'code=~"2.."',
                    )
                )
            )  # fmt: skip
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
