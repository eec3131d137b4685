"""Random numbers without a state: a hash of (key, index) instead of a generator that has to be advanced.

So the value at one time does not depend on which values were asked for before, and a fleet can be played from
any moment. The hash is `lowbias32` (Chris Wellons, "Prospecting for Hash Functions", 2018): two
multiplications of 32 bits.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Keys: TypeAlias = NDArray[np.uint32]
Integers: TypeAlias = NDArray[np.int64]

_GOLDEN = np.uint32(0x9E3779B9)
_FIRST = np.uint32(0x7FEB352D)
_SECOND = np.uint32(0x846CA68B)
_SIXTEEN, _FIFTEEN = np.uint32(16), np.uint32(15)
_TO_UNIT = 2.0**-32
_STEADINESS = 0.9


def mix(values: Keys) -> Keys:
    """Hash each of the values; returns a new array of the same shape."""
    mixed = values ^ (values >> _SIXTEEN)
    mixed *= _FIRST
    mixed ^= mixed >> _FIFTEEN
    mixed *= _SECOND
    mixed ^= mixed >> _SIXTEEN
    return mixed


def make_key(*parts: int) -> int:
    """Hash a tuple of integers into one key of 32 bits."""
    key = np.zeros(1, np.uint32)
    for part in parts:
        key = mix(key * _GOLDEN + np.uint32(part & 0xFFFFFFFF))
    return int(key[0])


def derive(keys: Keys, salt: int) -> Keys:
    """Make independent keys from keys: one per (key, salt)."""
    return mix(keys ^ np.uint32(salt * 0x85EBCA6B & 0xFFFFFFFF))


def uniform(keys: Keys, index: Integers | int = 0) -> Floats:
    """Uniform numbers in [0, 1), one per (key, index); key and index broadcast."""
    steps = np.asarray(index).astype(np.uint32)
    steps *= _GOLDEN
    return np.multiply(mix(keys + steps), _TO_UNIT, dtype=np.float64)


def jitter(keys: Keys, times: Floats) -> Floats:
    """White noise in [-1, 1): another value each millisecond. `times` in seconds."""
    milliseconds = np.rint(times * 1000.0).astype(np.int64)
    return uniform(keys, milliseconds) * 2.0 - 1.0


def wave(keys: Keys, times: Floats, period_seconds: float) -> Floats:
    """Smooth noise in [-1, 1] that turns about once a period: random points, joined by an S curve."""
    position = times / period_seconds
    cell = np.floor(position)
    part = position - cell
    steps = cell.astype(np.int64)
    start = uniform(keys, steps)
    part *= part * (3.0 - 2.0 * part)
    start += (uniform(keys, steps + 1) - start) * part
    start *= 2.0
    start -= 1.0
    return start


def unsteady_clock(keys: Keys, times: Floats, period_seconds: float) -> tuple[Floats, Floats]:
    """Seconds on a clock that runs unevenly, and its present rate: in (0.1, 1.9), and 1 in the long run.

    The clock is monotonic and at most 0.9 periods ahead: at the ends of a cell it is ahead by a random part
    of the period, between them it runs straight. Counters are such clocks, which makes a counter's value at
    any time a closed form, where adding up random rates would need its whole past.
    """
    position = times / period_seconds
    cell = np.floor(position)
    steps = cell.astype(np.int64)
    ahead = uniform(keys, steps)
    rate = uniform(keys, steps + 1)
    rate -= ahead
    rate *= _STEADINESS
    rate += 1.0
    ahead *= _STEADINESS
    ahead += cell
    ahead += (position - cell) * rate
    ahead *= period_seconds
    return ahead, rate
