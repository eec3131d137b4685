"""Packed rows against what PostgreSQL makes of them."""

import math
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
import pytest

from fleetkeeper.telemetry.frames import Plan, Window, copy_payload, day_of, pack_row

DEVICE = UUID("0198f6a0-0000-7000-8000-000000000001")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TestRows:
    @pytest.mark.parametrize(
        ("size", "positions", "values", "stored"),
        [
            (3, None, [1.5, -2.0, 1e300], [1.5, -2.0, 1e300]),
            (3, [2, 0, 1], [1.0, 2.0, 3.0], [2.0, 3.0, 1.0]),
            (4, [3, 1], [1.0, 2.0], [None, 2.0, None, 1.0]),
            (2, None, [math.nan, -0.0], ["nan", -0.0]),
            (3, [1], [math.nan], [None, "nan", None]),
            (2, None, [math.inf, -math.inf], [math.inf, -math.inf]),
            (1, None, [5e-324], [5e-324]),
        ],
    )
    def test_what_is_packed_is_read_back(self, connection, size, positions, values, stored):
        plan = Plan(7, size, None if positions is None else np.array(positions, np.intp))
        ts_us = time.time_ns() // 1000
        row = pack_row(DEVICE.bytes, ts_us, plan, np.array(values, np.float64))
        with connection.cursor().copy(
            "COPY frames (device_id, ts, layout_id, values) FROM STDIN (FORMAT BINARY)"
        ) as copy:
            copy.write(copy_payload([row]))
        found = connection.execute("SELECT device_id, ts, layout_id, values FROM frames").fetchone()
        assert found[:3] == (DEVICE, EPOCH + timedelta(microseconds=ts_us), 7)
        assert ["nan" if value is not None and math.isnan(value) else value for value in found[3]] == stored

    def test_template_of_a_plan_is_not_shared_between_rows(self):
        plan = Plan(1, 2, None)
        first = pack_row(DEVICE.bytes, 0, plan, np.array([1.0, 2.0]))
        assert pack_row(DEVICE.bytes, 0, plan, np.array([3.0, 4.0])) != first
        assert pack_row(DEVICE.bytes, 0, plan, np.array([1.0, 2.0])) == first


class TestWindow:
    @pytest.mark.parametrize(
        ("ts", "words"),
        [
            (1000.0, None),
            (1000.0 - 86_400, None),
            (1060.0, None),
            (1060.1, "future"),
            (999.9 - 86_400, "no time"),
            (math.nan, "no time"),
            (math.inf, "no time"),
            (-1e300, "no time"),
        ],
    )
    def test_bounds(self, ts, words):
        problem = Window.around(1000.0, max_age_days=1, max_future_seconds=60).problem_of(ts)
        assert problem is None if words is None else words in problem

    def test_old_frame_is_named_with_its_time(self):
        problem = Window.around(1e9, max_age_days=1, max_future_seconds=60).problem_of(0)
        assert problem == "1970-01-01T00:00:00Z is older than the server accepts"

    def test_day(self):
        assert [day_of(ts) for ts in (0, 86_399_999_999, 86_400_000_000)] == [0, 0, 1]
