"""Resampling against a plain model: one loop over the samples, no numpy."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper.telemetry.resample import (
    FILL_INTERVALS,
    SECOND,
    fill_gaps,
    grid,
    nice_step,
    resample,
    sampling_interval,
)

VALUES = st.floats(-1e6, 1e6) | st.just(math.nan)
SAMPLES = st.dictionaries(st.integers(0, 60 * SECOND), VALUES, max_size=40).map(
    lambda items: sorted(items.items())
)
STEPS = st.sampled_from([SECOND, 3 * SECOND, 7 * SECOND, 10 * SECOND])
AGGREGATES = {
    "avg": lambda values: math.fsum(values) / len(values),
    "min": min,
    "max": max,
    "sum": math.fsum,
    "count": len,
    "last": lambda values: values[-1],
}


def arrays(samples):
    return np.array([item[0] for item in samples], np.int64), np.array(
        [item[1] for item in samples], np.float64
    )


class TestAggregates:
    @given(
        samples=SAMPLES,
        step_us=STEPS,
        aggregate=st.sampled_from(sorted(AGGREGATES)),
        start=st.integers(0, 50),
    )
    def test_each_step_with_samples_is_as_the_model_has_it(self, samples, step_us, aggregate, start):
        steps = grid(start * SECOND, 60 * SECOND, step_us)
        found = resample(*arrays(samples), steps, step_us, aggregate)
        assert len(found) == len(steps)
        for step, value in zip(steps.tolist(), found.tolist(), strict=True):
            inside = [v for ts, v in samples if step <= ts < step + step_us and not math.isnan(v)]
            if inside:
                assert value == pytest.approx(AGGREGATES[aggregate](inside), rel=1e-9, abs=1e-6)
            elif aggregate in {"sum", "count"}:
                assert math.isnan(value)

    def test_unknown_aggregate(self):
        with pytest.raises(ValueError, match="median"):
            resample(*arrays([(0, 1.0)]), grid(0, SECOND, SECOND), SECOND, "median")

    def test_no_steps(self):
        assert len(resample(*arrays([(0, 1.0)]), grid(0, 0, SECOND), SECOND, "avg")) == 0


class TestRate:
    @given(
        increases=st.lists(st.floats(0, 1e6), min_size=2, max_size=40),
        gaps=st.lists(st.integers(1, 5 * SECOND), min_size=40, max_size=40),
        resets=st.sets(st.integers(0, 39)),
        step_us=STEPS,
    )
    def test_never_negative_and_never_above_the_steepest_increase(self, increases, gaps, resets, step_us):
        ts, value, steepest, samples = 0, 0.0, 0.0, [(0, 0.0)]
        for number, (increase, gap) in enumerate(zip(increases, gaps, strict=False)):
            ts += gap
            steepest = max(steepest, increase / gap * SECOND)
            value = increase if number in resets else value + increase
            samples.append((ts, value))
        steps = grid(0, ts + 1, step_us)
        found = resample(*arrays(samples), steps, step_us, "rate")
        known = found[~np.isnan(found)]
        assert (known >= 0).all()
        assert (known <= steepest * (1 + 1e-6) + 1e-3).all()

    @given(per_second=st.integers(0, 1000), interval=st.sampled_from([1, 2, 5]), step_us=STEPS)
    def test_steady_counter_has_its_rate_in_every_step_but_the_first(self, per_second, interval, step_us):
        samples = [(n * interval * SECOND, float(n * interval * per_second)) for n in range(30)]
        steps = grid(0, 29 * interval * SECOND, step_us)
        found = resample(*arrays(samples), steps, step_us, "rate")
        assert found[1:].tolist() == pytest.approx([per_second] * (len(steps) - 1)) or np.isnan(found[1])
        assert set(found[~np.isnan(found)].round(6).tolist()) <= {float(per_second)}

    @pytest.mark.parametrize("samples", [[], [(0, 1.0)], [(0, math.nan), (SECOND, 1.0)]])
    def test_too_few_samples(self, samples):
        found = resample(*arrays(samples), grid(0, 3 * SECOND, SECOND), SECOND, "rate")
        assert np.isnan(found).all()


class TestGaps:
    @given(
        values=st.lists(st.floats(0, 9) | st.just(math.nan), max_size=40),
        step_us=STEPS,
        interval=st.floats(0, 60),
    )
    def test_only_short_gaps_after_a_value_are_filled(self, values, step_us, interval):
        before = np.array(values, np.float64)
        after = fill_gaps(before.copy(), step_us, interval)
        reach = interval * FILL_INTERVALS * SECOND / step_us
        known = [n for n, value in enumerate(values) if not math.isnan(value)]
        for n, (old, new) in enumerate(zip(values, after.tolist(), strict=True)):
            if not math.isnan(old):
                assert new == old
            elif not math.isnan(new):
                source = max(m for m in known if m < n)
                assert new == values[source]
                assert n - source <= reach
                assert n < known[-1]

    def test_machine_that_stopped_is_not_drawn_on(self):
        found = fill_gaps(np.array([1.0, math.nan, math.nan]), SECOND, 10)
        assert np.isnan(found[1:]).all()


class TestSteps:
    @given(st.floats(1, 1e8), st.integers(1, 11_000))
    def test_step_fits_the_points(self, span, points):
        assert span / nice_step(span, points) <= points * (1 + 1e-9)

    @given(st.integers(0, 10**15), st.integers(1, 10**9), STEPS)
    def test_grid_is_aligned_and_covers(self, start, length, step_us):
        steps = grid(start, start + length, step_us)
        assert steps[0] <= start < steps[0] + step_us
        assert steps[-1] < start + length <= steps[-1] + step_us
        assert not (steps % step_us).any()

    def test_interval_is_the_usual_one(self):
        assert sampling_interval(np.array([0, 5, 10, 300, 305], np.int64) * SECOND) == 5
        assert sampling_interval(np.array([7], np.int64)) == 0
