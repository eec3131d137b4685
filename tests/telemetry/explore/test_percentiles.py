"""Percentiles that rollups keep: exact where they answer, and never asked where they cannot."""

from itertools import product

import numpy as np
import pytest

from fleetkeeper.telemetry.chunks.blocks import DAY
from fleetkeeper.telemetry.rollups import jobs as rollups
from fleetkeeper.telemetry.rollups.periods import HOUR
from tests.factories.telemetry import add_frames, make_channels, make_device, make_layout
from tests.telemetry.explore.test_query import NAMES, START, Fleet, ask, points

END = START + 3 * DAY


@pytest.fixture
def fleet(connection, app_url):
    return Fleet(connection, app_url)


def exact(fleet, names, metric, start_us, end_us, step_us, percent):
    """By step: the percentile of all samples of these machines as numpy has it."""
    cells: dict[float, list[float]] = {}
    for name in names:
        for at, value in fleet.samples[name][metric]:
            if start_us <= at < end_us:
                cells.setdefault(at // step_us * step_us / 1e6, []).append(value)
    return {at: pytest.approx(float(np.percentile(values, percent))) for at, values in cells.items()}


def by_name(answer, aggregate):
    return {
        series.group["device_name"]: points(series) for series in answer.series if series.agg == aggregate
    }


async def check(app, fleet, start_us, end_us, step_us, percent=95, metric="load"):
    """Compare the answers for each machine with those of plain lists; returns where they came from."""
    answer = await ask(
        app, start_us, end_us, metrics=[metric], aggregate=f"p{percent}", step=str(step_us // 1_000_000)
    )
    assert by_name(answer, f"p{percent}") == {
        name: exact(fleet, [name], metric, start_us, end_us, step_us, percent) for name in NAMES
    }
    return {part.source for part in answer.plan}


@pytest.mark.parametrize("percent", [50, 95])
@pytest.mark.parametrize("start_us", [START, START + 7 * HOUR // 3])
async def test_hours_are_exact_wherever_they_come_from(app, fleet, start_us, percent):
    end_us = START + 71 * HOUR + 11
    assert await check(app, fleet, start_us, end_us, HOUR, percent) == {"samples"}
    await fleet.seal(START + 60 * HOUR)
    assert await check(app, fleet, start_us, end_us, HOUR, percent) == {"samples", "hour"}
    await fleet.seal()
    assert "hour" in await check(app, fleet, start_us, end_us, HOUR, percent)


async def test_whole_hours_and_days_need_no_samples(app, fleet):
    await fleet.seal()
    assert await check(app, fleet, START, END, HOUR) == {"hour"}
    assert await check(app, fleet, START, END, DAY) == {"day"}


async def test_late_samples_count(app, fleet, connection):
    await fleet.seal()
    device = fleet.devices["beta"]
    late = START + 5 * HOUR + 3
    add_frames(
        connection,
        device,
        make_layout(connection, device, make_channels(connection, "load")),
        {late: [999.0]},
    )
    fleet.samples["beta"]["load"].append((late, 999.0))
    await fleet.seal()
    assert await check(app, fleet, START, END, HOUR) == {"hour"}
    late += HOUR
    add_frames(
        connection,
        device,
        make_layout(connection, device, make_channels(connection, "load")),
        {late: [-999.0]},
    )
    fleet.samples["beta"]["load"].append((late, -999.0))
    assert await check(app, fleet, START, END, HOUR) == {"hour", "samples"}


@pytest.mark.parametrize(("by", "names"), [((), NAMES), (("department",), NAMES[:2])])
async def test_of_several_machines_together_all_samples_count(app, fleet, by, names):
    await fleet.seal()
    answer = await ask(app, START, END, aggregate="p95", by=by, step="3600")
    together = next(series for series in answer.series if series.group in ({}, {"department": "North"}))
    assert points(together) == exact(fleet, names, "load", START, END, HOUR, 95)
    assert {part.source for part in answer.plan} == {"samples"}


@pytest.mark.parametrize(("percent", "step_us"), [(90, HOUR), (95, 2 * HOUR)])
async def test_what_is_not_kept_comes_from_samples(app, fleet, percent, step_us):
    await fleet.seal()
    assert await check(app, fleet, START, END, step_us, percent) == {"samples"}


async def test_of_counters_none_are_kept(app, fleet, connection):
    connection.execute("UPDATE metrics SET kind = 'counter' WHERE name = 'sent_total'")
    await fleet.seal()
    assert await check(app, fleet, START, END, HOUR, metric="sent_total") == {"samples"}


async def test_hours_of_before_they_were_kept_come_from_samples(app, fleet, connection):
    await fleet.seal()
    older = "UPDATE rollups SET medians = NULL, p95s = NULL WHERE device_id = %s AND start = '2026-10-01 00:00:00+00'"
    connection.execute(older, (fleet.devices["beta"],))
    assert await check(app, fleet, START, END, HOUR) == {"samples"}
    both = await ask(app, START, END, aggregate="max", also=["p95"], step="3600")
    assert by_name(both, "p95")["beta"] == exact(fleet, ["beta"], "load", START, END, HOUR, 95)
    assert {part.source for part in both.plan} == {"hour", "samples"}
    days = await ask(app, START, END, aggregate="p95", step="day")
    assert {part.source for part in days.plan} == {"day"}
    for name, values in by_name(days, "p95").items():
        wanted = exact(fleet, [name], "load", START, END, DAY, 95)
        assert values == {at: pytest.approx(value.expected, rel=0.03) for at, value in wanted.items()}
    # A day that is made anew has them.
    connection.execute(
        "INSERT INTO rollup_changes SELECT DISTINCT device_id, (start AT TIME ZONE 'UTC')::date FROM rollups "
        "WHERE tier = 1"
    )
    await rollups.refresh_rollups(fleet.app_url)
    assert await check(app, fleet, START, END, HOUR) == {"hour"}


async def test_hours_outlive_their_samples(app, fleet, connection):
    await fleet.seal()
    connection.execute("DELETE FROM chunks")
    assert await check(app, fleet, START, END, HOUR) == {"hour"}


async def test_machines_differ_in_what_they_measure(app, fleet, connection):
    """Rows that hold other channels are taken apart by themselves."""
    other = make_device(connection, "delta")
    names = [f"more_{n}" for n in range(20)]
    layout = make_layout(connection, other, make_channels(connection, *names, "load"))
    times = [START + n * HOUR // 4 for n in range(40)]
    add_frames(connection, other, layout, {at: [float(n)] * 20 + [at % 977.0] for n, at in enumerate(times)})
    fleet.devices["delta"] = other
    await fleet.seal()
    fleet.samples["delta"] = {"load": [(at, at % 977.0) for at in times]}
    answer = await ask(app, START, END, aggregate="max", also=["p50", "last"], step="3600")
    everyone = (*NAMES, "delta")
    assert by_name(answer, "p50") == {
        name: exact(fleet, [name], "load", START, END, HOUR, 50) for name in everyone
    }
    assert by_name(answer, "last") == {
        name: {at // HOUR * HOUR / 1e6: value for at, value in fleet.samples[name]["load"]}
        for name in everyone
    }
    assert {part.source for part in answer.plan} == {"hour"}


class TestSeveralAggregates:
    @pytest.mark.parametrize("step", ["1800", "3600", "day", "month"])
    async def test_as_each_by_itself(self, app, fleet, step):
        await fleet.seal(START + 60 * HOUR)
        asked = ["avg", "p95", "rate", "last", "p90", "max", "p50"]
        for by, compare in product(((), ("device",)), (None, "1d")):
            wishes = {"by": by, "step": step, "compare": compare}
            together = await ask(app, START, END, aggregate=asked[0], also=[*asked[1:], "avg"], **wishes)
            alone = [await ask(app, START, END, aggregate=name, **wishes) for name in asked]
            found = {(s.agg, s.compared, str(s.group)): s.points for s in together.series}
            wanted = {(s.agg, s.compared, str(s.group)): s.points for answer in alone for s in answer.series}
            assert found.keys() == wanted.keys()
            assert len(together.series) == len(found)
            for key, values in wanted.items():
                assert [at for at, _ in found[key]] == [at for at, _ in values]
                np.testing.assert_allclose(numbers(found[key]), numbers(values), rtol=1e-9)

    async def test_of_devices_one_by_one(self, app, fleet):
        await fleet.seal()
        answer = await ask(app, START, END, aggregate="p95", also=["max"], across="min", by=(), step="3600")
        assert [series.agg for series in answer.series] == ["p95", "max"]
        lowest = exact(fleet, NAMES[:1], "load", START, END, HOUR, 95)
        assert points(answer.series[0]) == lowest
        assert {part.source for part in answer.plan} == {"hour"}

    async def test_ranking_goes_by_the_first(self, app, fleet):
        answer = await ask(app, START, START + DAY, aggregate="max", also=["count"], top=1, step="day")
        assert [(s.group["device_name"], s.agg) for s in answer.series] == [
            ("gamma", "max"),
            ("gamma", "count"),
        ]

    async def test_at_the_door(self, admin, fleet):
        await fleet.seal()
        params = {"metric": "load", "from": START / 1e6, "to": END / 1e6, "step": "hour", "by": "device"}
        answer = await admin.get("/api/v1/telemetry/query", params=params | {"agg": ["avg", "max", "p95"]})
        assert answer.status_code == 200
        assert [series["agg"] for series in answer.json()["series"]] == ["avg", "max", "p95"] * 3
        many = await admin.get(
            "/api/v1/telemetry/query", params=params | {"agg": [f"p{n}" for n in range(9)]}
        )
        assert (many.status_code, many.json()["errors"][0]["field"]) == (422, "agg")


def numbers(series):
    return [np.nan if value is None else value for _, value in series]
