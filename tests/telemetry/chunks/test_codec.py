"""Series as bytes and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fleetkeeper.telemetry.chunks import codec

BITS = arrays(np.uint64, st.integers(1, 300), elements=st.integers(0, 2**64 - 1))


def there_and_back(values: np.ndarray) -> np.ndarray:
    blob = codec.encode_values(values)
    return codec.decode_values(blob, len(values), codec.summary_of(values).first)


@given(BITS)
def test_any_bits_come_back(bits):
    """Every NaN, both zeros, infinities, subnormals."""
    values = bits.view(np.float64)
    assert (there_and_back(values).view(np.uint64) == bits).all()


@given(
    arrays(
        np.float64, st.integers(1, 500), elements=st.sampled_from([0.0, 1.5, np.nan, np.inf, codec.MISSING])
    )
)
def test_few_values_and_gaps_come_back(values):
    assert (there_and_back(values).view(np.uint64) == values.view(np.uint64)).all()


@given(st.lists(st.integers(0, 2**53), min_size=1, max_size=500, unique=True))
def test_times_come_back(moments):
    times = np.array(sorted(moments), np.int64)
    assert (codec.decode_times(codec.encode_times(times)) == times).all()


@pytest.mark.parametrize("number", [0.0, -0.0, 16.0, np.inf, 5e-324])
def test_one_number_over_and_over_needs_no_bytes(number):
    values = np.full(1000, number)
    assert codec.encode_values(values) is None
    assert (there_and_back(values).view(np.uint64) == values.view(np.uint64)).all()


def test_zeros_of_both_signs_are_no_constant():
    assert codec.encode_values(np.array([0.0, -0.0])) is not None


def test_missing_differs_from_what_was_measured():
    values = np.array([1.0, np.nan, codec.MISSING])
    assert codec.is_missing(values).tolist() == [False, False, True]
    assert codec.is_missing(there_and_back(values)).tolist() == [False, False, True]


def test_summary_counts_numbers_alone():
    told = codec.summary_of(np.array([codec.MISSING, 3.0, np.nan, -1.0]))
    assert told == codec.Summary(2, -1.0, 3.0, 2.0, 3.0, -1.0)
    assert codec.summary_of(np.array([np.nan, codec.MISSING])) == codec.Summary(
        0, None, None, None, None, None
    )


def test_a_day_of_a_gauge_is_small():
    walk = np.clip(np.cumsum(np.random.default_rng(123).normal(0, 1, 8640)) + 50, 0, 100).round(0)
    blob = codec.encode_values(walk)
    assert blob
    assert len(blob) < 0.5 * len(walk)
