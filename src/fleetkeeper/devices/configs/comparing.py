"""Two texts compared line by line, in bounded time. Pure."""

import difflib
from collections import Counter
from collections.abc import Sequence

# Lines of either side that are compared one by one, and pairs of equal ones among them; of more, or of more alike, what
# lies between the common beginning and the common end is told as replaced. The algorithm may take the square of it.
MOST_LINES = 10_000
MOST_PAIRS = 100_000
CONTEXT = 3


def unified(before: Sequence[str], after: Sequence[str], names: tuple[str, str]) -> list[str]:
    """The lines of a unified diff; none where both are the same."""
    if before == after:
        return []
    start = _common(before, after)
    end = _common(before[start:][::-1], after[start:][::-1])
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    if max(len(old), len(new)) <= MOST_LINES and _pairs(old, new) <= MOST_PAIRS:
        return list(difflib.unified_diff(before, after, *names, lineterm="", n=CONTEXT))
    first = max(start - CONTEXT, 0)
    head, tail = before[first:start], before[len(before) - end :][:CONTEXT]
    sizes = [len(head) + len(one) + len(tail) for one in (old, new)]
    return [
        f"--- {names[0]}",
        f"+++ {names[1]}",
        f"@@ -{first + 1},{sizes[0]} +{first + 1},{sizes[1]} @@",
        *(f" {line}" for line in head),
        *(f"-{line}" for line in old),
        *(f"+{line}" for line in new),
        *(f" {line}" for line in tail),
    ]


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines both begin with."""
    pairs = zip(one, other, strict=False)
    return next((index for index, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _pairs(old: Sequence[str], new: Sequence[str]) -> int:
    counts = Counter(new)
    # What is on more than one line of a hundred is left out by difflib, too.
    often = len(new) // 100 + 1 if len(new) >= 200 else len(new)
    return sum(counts[line] for line in old if counts[line] <= often)
