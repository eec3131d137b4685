"""Series as bytes and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fleetkeeper.telemetry.chunks import codec

BITS = arrays(np.uint64, st.integers(1, 300), elements=st.integers(0, 2**64 - 1))


def encoded(values: np.ndarray) -> bytes | None:
    return codec.encode_series(values[None])[0]


def summary_of(values: np.ndarray) -> codec.Summary:
    return codec.summaries_of(values[None])[0]


def there_and_back(values: np.ndarray) -> np.ndarray:
    return codec.decode_values(encoded(values), len(values), summary_of(values).first)


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
    assert encoded(values) is None
    assert (there_and_back(values).view(np.uint64) == values.view(np.uint64)).all()


def test_zeros_of_both_signs_are_no_constant():
    assert encoded(np.array([0.0, -0.0])) is not None


def test_missing_differs_from_what_was_measured():
    values = np.array([1.0, np.nan, codec.MISSING])
    assert codec.is_missing(values).tolist() == [False, False, True]
    assert codec.is_missing(there_and_back(values)).tolist() == [False, False, True]


def test_summary_counts_numbers_alone():
    told = summary_of(np.array([codec.MISSING, 3.0, np.nan, -1.0]))
    assert told == codec.Summary(2, -1.0, 3.0, 2.0, 3.0, -1.0)
    assert summary_of(np.array([np.nan, codec.MISSING])) == codec.Summary(0, None, None, None, None, None)


def test_a_day_of_a_gauge_is_small():
    walk = np.clip(np.cumsum(np.random.default_rng(123).normal(0, 1, 8640)) + 50, 0, 100).round(0)
    blob = encoded(walk)
    assert blob
    assert len(blob) < 0.5 * len(walk)


def noise(count: int) -> np.ndarray:
    return np.random.default_rng(5).normal(50, 5, count).round(1)


@pytest.mark.parametrize(
    ("series", "most"),
    [
        (noise(2000), 1.2),
        (np.cumsum(noise(2000)).round(1), 1.3),
        (np.cumsum(np.cumsum(noise(2000).round() - 50)), 0.9),
        (np.concatenate([np.cumsum(noise(1500).round()), np.cumsum(noise(500).round())]), 0.9),
        (np.tile([1.0, 7.0, 3.0, 9.0, 2.0], 400), 0.4),
    ],
    ids=["noise", "counter", "counter of a walk", "counter that begins again", "pattern"],
)
def test_each_kind_is_told_its_own_way(series, most):
    blob = encoded(series)
    assert blob
    assert len(blob) < most * len(series)
    assert len(blob) < 1.02 * len(codec.pack(series))
    assert (there_and_back(series) == series).all()


def test_series_of_a_block_are_told_apart():
    series = np.stack([noise(300), np.full(300, 16.0), np.where(np.arange(300) % 2, codec.MISSING, 3.0)])
    blobs = codec.encode_series(series)
    told = codec.summaries_of(series)
    assert blobs[1] is None
    assert [one.samples for one in told] == [300, 300, 150]
    assert told[0] == codec.Summary(
        300, series[0].min(), series[0].max(), series[0].sum(), series[0][0], series[0][-1]
    )
    for values, blob, one in zip(series, blobs, told, strict=True):
        assert (codec.decode_values(blob, 300, one.first).view(np.uint64) == values.view(np.uint64)).all()
