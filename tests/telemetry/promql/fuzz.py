"""Queries of all kinds, right and wrong, to an engine with workers: each is answered or refused, and no worker dies.

python -m tests.telemetry.promql.fuzz --minutes 60 --seed 1
"""

import argparse
import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from fleetkeeper.telemetry.promql.engine import Engine
from fleetkeeper.telemetry.promql.errors import PromqlError
from fleetkeeper.telemetry.promql.layout import prettify
from fleetkeeper.telemetry.promql.parsing import parse_query
from fleetkeeper.telemetry.promql.queries import Limits, Query
from fleetkeeper.telemetry.promql.waiting import Places
from fleetkeeper.telemetry.promql.workers import WorkerLimits, Workers
from tests.telemetry.promql.dataset import START, dataset
from tests.telemetry.promql.generated import Grammar
from tests.telemetry.promql.literals import PATTERNS, STRINGS, WHOLE
from tests.telemetry.promql.memory_source import MemorySource

MOMENT = (START + 3600) * 10**6
# What reading a text may take of a processor.
READING_SECONDS = 2.0
# How late a query may end; whatever else the machine does has its part in it.
LATE_SECONDS = 10.0
TIMEOUT_SECONDS = 10.0
LONGEST = 65_536
MARKS = (
    "(", ")", "[", "]", "{", "}", "#", "\r", "\n", "\x00", "\\", '"', "'", "`", "-", "+", "^", "@", ":", ",", "=~", "é",
    "\u2028", "\ud800", "5m", "1e999", "offset", "by", "bool", "on()", "start()", "[5m:1s]", "$1", "0x", ".", "or", " ",
)  # fmt: skip
REPEATED = (
    "(", "[", "{", "-", "+", "!", "#", "#\r", "\r", "a+", "a^", "-a*", "a or ", "abs(", "sum by (a)(", "max_over_time(",
    "{a='", "`", '"', "\\", "a{b=~`(`},", "1m", "1", "a,", "é", "\x00", "a offset 1m ", "a @ 1 ", "label_join(",
    "a[1m:1s]",
)  # fmt: skip
WINDOWS = ("5m", "1h", "7d", "30d", "1y", "200y")
STEPS = ("1ms", "1s", "1m", "1d", "")


@dataclass
class Tally:
    """What came of the queries."""

    answered: int = 0
    refused: int = 0
    longest_reading: float = 0.0
    longest: float = 0.0


class Texts:
    """Makes texts by chance, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._queries = Grammar(seed)

    def text(self) -> str:
        """One text of some kind."""
        chance = self._chance
        kinds = (
            self._right,
            self._damaged,
            self._damaged,
            self._literal,
            self._repeated,
            self._long_chain,
            self._multiplied,
            self._noise,
        )
        return chance.choice(kinds)()[:LONGEST]

    def _right(self) -> str:
        return self._queries.query()

    def _damaged(self) -> str:
        text = self._chance.choice((self._right, self._literal))()
        for _ in range(self._chance.randint(1, 4)):
            start = self._chance.randrange(len(text) + 1)
            text = text[:start] + self._chance.choice(MARKS) + text[start + self._chance.randrange(4) :]
        return text

    def _literal(self) -> str:
        chance = self._chance
        string = chance.choice([*STRINGS, *(f"`{item}`" for item in PATTERNS)])
        templates = ("#", "up{job=#}", "temperature{room=~#}", "temperature{room!~#}", "count_values(#, up)",
                     "label_replace(temperature, 'a', '$1', 'room', #)", "label_replace(up, #, #, 'job', '(.*)')",
                     "label_join(up, 'a', #, 'job', 'job')")  # fmt: skip
        return chance.choice([*WHOLE, *templates]).replace("#", string)

    def _repeated(self) -> str:
        chance = self._chance
        unit = chance.choice(REPEATED)
        count = chance.choice((3, 99, 101, 249, 251, 2000, LONGEST // len(unit)))
        return (
            chance.choice(("", "# a\r", "up + ", "'#' + "))
            + unit * count
            + chance.choice(("", "a", ")" * count, "1", "`}"))
        )

    def _long_chain(self) -> str:
        chance = self._chance
        ops = [
            chance.choice(("+", "-", "*", "/", "^", "or", "and", "unless", "==", "> bool", "atan2"))
            for _ in range(chance.randint(1, 260))
        ]
        operand = chance.choice(("1", "up", "-up", "time()", "(up)", "- - 1", "temperature"))
        return operand + "".join(f" {op} {operand}" for op in ops)

    def _multiplied(self) -> str:
        """Calls in one another that multiply what they work on."""
        chance = self._chance
        text = chance.choice(("vector(1)", "temperature", "up", "time()"))
        for _ in range(chance.randint(1, 30)):
            form = chance.randrange(4)
            if form == 0:
                name = chance.choice(("max", "stddev", "quantile", "count"))
                first = "0.5, " if name == "quantile" else ""
                text = f"{name}_over_time({first}{text}[{chance.choice(WINDOWS)}:{chance.choice(STEPS)}])"
            elif form == 1:
                text = f"label_join({text}, 'a', 'x', 'a', 'a', 'a')"
            elif form == 2:
                text = f"label_replace({text}, 'a', '{'$1' * chance.randint(1, 50)}', 'a', '(.*)')"
            else:
                text = f"({text}) * on () group_left () ({chance.choice(('up', 'vector(2)'))})"
        return text

    def _noise(self) -> str:
        return "".join(self._chance.choice(MARKS) for _ in range(self._chance.randint(0, 60)))


def refusal_of(read: Callable[[str], object], text: str) -> PromqlError | None:
    """What a reader of texts has against one."""
    try:
        read(text)
    except PromqlError as error:
        return error
    return None


async def outcome_of(
    engine: Engine, source: MemorySource, text: str, *, is_range: bool
) -> PromqlError | None:
    """Why a query was not answered; raises what no client should see."""
    try:
        if is_range:
            query = Query.over_range(text, MOMENT, MOMENT + 600 * 10**6, 30 * 10**6, 11_000)
        else:
            query = Query.instant(text, MOMENT)
        await engine.rendered(query, source)
    except PromqlError as error:
        return error
    return None


async def ask(engine: Engine, source: MemorySource, text: str, tally: Tally) -> bool:
    """Ask a query in each form; whether a worker may have been ended since its time was over."""
    # Of this process alone, whatever else the machine does.
    begun = time.process_time()
    for read in (parse_query, prettify):
        refused = refusal_of(read, text)
        assert refused is None or refused.kind == "bad_data"
    tally.longest_reading = max(tally.longest_reading, time.process_time() - begun)
    is_timeout = False
    for is_range in (False, True):
        begun = time.perf_counter()
        error = await outcome_of(engine, source, text, is_range=is_range)
        tally.longest = max(tally.longest, time.perf_counter() - begun)
        if error is None:
            tally.answered += 1
            continue
        tally.refused += 1
        assert error.kind in {"bad_data", "execution", "timeout"}
        assert "died" not in str(error)
        is_timeout = is_timeout or error.kind == "timeout"
    return is_timeout


async def run(
    seed: int, count: int | None, seconds: float | None, timeout_seconds: float = TIMEOUT_SECONDS
) -> Tally:
    """Ask so many queries, or for so long. Raises AssertionError with the text that did harm."""
    workers = Workers(WorkerLimits(), 2)
    engine = Engine(Limits(max_samples=1_000_000, timeout_seconds=timeout_seconds), workers, Places(2))
    source, texts, tally = MemorySource(dataset()), Texts(seed), Tally()
    end = None if seconds is None else time.monotonic() + seconds
    asked = 0
    try:
        await engine.rendered(Query.instant("1", MOMENT), source)
        pids = workers.pids
        while (count is None or asked < count) and (end is None or time.monotonic() < end):
            text = texts.text()
            try:
                may_have_ended = await ask(engine, source, text, tally)
                assert may_have_ended or workers.pids == pids, "a worker died"
                pids = workers.pids
            except Exception as error:
                raise AssertionError(f"seed {seed}, query {asked}: {text[:2000]!r}: {error!r}") from error
            asked += 1
            assert tally.longest_reading < READING_SECONDS, text[:2000]
            assert tally.longest < timeout_seconds + LATE_SECONDS, text[:2000]
    finally:
        await workers.stop()
    return tally


def main() -> None:
    """Run by hand, for as long as there is time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(asyncio.run(run(options.seed, None, options.minutes * 60)))


if __name__ == "__main__":
    main()
