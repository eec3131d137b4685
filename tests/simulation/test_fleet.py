"""The model of a fleet: pure in (seed, device, time), believable in seasons, leaks, restarts, counters."""

import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetkeeper.simulation.catalog import KINDS
from fleetkeeper.simulation.durations import parse_duration
from fleetkeeper.simulation.encoding import FrameEncoder
from fleetkeeper.simulation.fleet import Fleet
from fleetkeeper.simulation.inventories import inventory_report
from fleetkeeper.simulation.kinds import KindName
from fleetkeeper.simulation.noise import unsteady_clock
from fleetkeeper.simulation.reports import process_report, session_report
from fleetkeeper.simulation.rhythm import last_boot
from fleetkeeper_protocol.metrics import BUILT_IN, MetricKind, describe, format_channel, parse_channel

MONDAY = 1_794_787_200.0  # 2026-11-16 00:00 UTC
DAY = 86_400.0
KIND = {kind.name: kind for kind in KINDS}
TIMES = st.integers(1_700_000_000, 2_000_000_000).map(float)


def column(kind, name, **labels):
    return kind.channels.index(format_channel(name, labels))


def one_kind(name, count=40, seed=1):
    return Fleet(seed, count, (KIND[name],))


def series(fleet, position, times):
    return fleet.models[0].measure(np.full(len(times), position), np.asarray(times, float))


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**40),
    kind=st.sampled_from(KINDS),
    start=TIMES,
    skipped=st.integers(0, 50),
    data=st.data(),
)
def test_a_value_depends_on_seed_device_and_time_only(seed, kind, start, skipped, data):
    fleet = Fleet(seed, 12, (kind,))
    position = data.draw(st.integers(0, 11))
    times = start + 10.0 * np.arange(60)
    whole = series(fleet, position, times)
    # Begun later, asked for among other devices, in a larger fleet: the same values.
    late = series(fleet, position, times[skipped:])
    kept = whole.times >= times[skipped]
    assert np.array_equal(whole.values[kept], late.values)
    larger = Fleet(seed, 50, (kind,)).models[0]
    positions = np.repeat(np.arange(12), 60)
    crowd = larger.measure(positions, np.tile(times, 12))
    assert np.array_equal(crowd.values[crowd.devices == position], whole.values)


def test_another_seed_is_another_fleet():
    times = MONDAY + 36_000.0 + 10.0 * np.arange(20)
    first, second = (series(one_kind(KindName.WEB, seed=seed), 0, times).values[:, 0] for seed in (1, 2))
    assert not np.array_equal(first, second)


def test_a_larger_fleet_keeps_the_devices_it_has():
    small, large = Fleet(3, 100), Fleet(3, 5000)
    for index in (0, 17, 99):
        a, b = small.device(index), large.device(index)
        assert (a.hostname, a.agent_id, a.kind.name, a.skew_seconds) == (
            b.hostname,
            b.agent_id,
            b.kind.name,
            b.skew_seconds,
        )
        assert inventory_report(small, a, MONDAY) == inventory_report(large, b, MONDAY)


@settings(max_examples=40, deadline=None)
@given(kind=st.sampled_from(KINDS), start=TIMES, step=st.sampled_from([1.0, 10.0, 300.0, 3600.0]))
def test_counters_only_grow_between_restarts_and_begin_again_after(kind, start, step):
    fleet = Fleet(11, 6, (kind,))
    counters = [
        at
        for at, channel in enumerate(kind.channels)
        if describe(parse_channel(channel)[0]).kind is MetricKind.COUNTER
    ]
    assert len(counters) > 20
    for position in range(6):
        frames = series(fleet, position, start + step * np.arange(200))
        if not len(frames.times):
            continue
        values = frames.values[:, counters]
        boots, _ = last_boot(fleet.models[0].traits.take(np.full(len(frames.times), position)), frames.times)
        restarted = np.diff(boots) > 0
        assert (np.diff(values, axis=0)[~restarted] >= 0).all()
        assert (values >= 0).all()
        assert (values <= 2.0**53).all()


def test_after_a_reboot_there_was_a_gap_and_counters_begin_again():
    fleet = one_kind(KindName.DATABASE, 3)
    kind = KIND[KindName.DATABASE]
    frames = series(fleet, 0, MONDAY + 20.0 * np.arange(50 * 4320))
    uptime = frames.values[:, column(kind, "system_uptime_seconds")]
    (reboots,) = np.nonzero(np.diff(uptime) < 0)
    assert 1 <= len(reboots) <= 8
    received = frames.values[:, column(kind, "network_receive_bytes_total")]
    for at in reboots:
        assert 40.0 <= frames.times[at + 1] - frames.times[at] <= 500.0
        assert received[at + 1] < received[at] / 100.0
        assert uptime[at + 1] <= 20.0


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_gauges_stay_in_their_ranges_and_are_rounded_as_agents_round(kind):
    fleet = Fleet(5, 30, (kind,))
    model = fleet.models[0]
    times = MONDAY + 601.3 * np.arange(1008)
    frames = model.measure(
        np.repeat(np.arange(30), 200), np.concatenate([times[at : at + 200] for at in range(0, 808, 27)])
    )
    assert np.isfinite(frames.values).all()
    for at, channel in enumerate(kind.channels):
        name, _ = parse_channel(channel)
        assert name in BUILT_IN
        values = frames.values[:, at]
        assert (values >= 0).all(), channel
        if name.endswith("_percent"):
            assert (values <= 100).all(), channel
            assert np.array_equal(values, np.round(values, 1)), channel
        if name.startswith(("memory_", "swap_")) and name.endswith("_bytes"):
            assert (values % 4096 == 0).all(), channel


def test_there_are_about_a_hundred_channels_and_one_list_for_a_kind():
    for kind in KINDS:
        assert 95 <= len(kind.channels) <= 115
        assert len(set(kind.channels)) == len(kind.channels)


def test_sums_agree_with_their_parts():
    kind = KIND[KindName.WEB]
    values = series(one_kind(KindName.WEB), 0, MONDAY + 10.0 * np.arange(50)).values
    for field in ("receive_bytes_total", "transmit_packets_total"):
        parts = [column(kind, f"network_interface_{field}", interface=name) for name in kind.interfaces]
        assert np.array_equal(values[:, column(kind, f"network_{field}")], values[:, parts].sum(axis=1))
    total, used, available = (
        values[:, column(kind, f"memory_{part}_bytes")] for part in ("total", "used", "available")
    )
    assert np.array_equal(total, used + available)


def _hourly_mean(values, times):
    hours = ((times % DAY) // 3600.0).astype(int)
    return np.array([values[hours == hour].mean() for hour in range(24)])


def test_days_have_a_season_and_weekends_are_quieter():
    fleet = one_kind(KindName.WEB, 30)
    model = fleet.models[0]
    times = MONDAY + 300.0 * np.arange(14 * 288)
    days, nights, weekdays, weekends = [], [], [], []
    for position in range(30):
        frames = series(fleet, position, times)
        local = frames.times + model.traits.time_zone_seconds[position]
        usage = frames.values[:, 0]
        by_hour = _hourly_mean(usage, local)
        days.append(by_hour[13:18].mean())
        nights.append(by_hour[1:6].mean())
        weekday = (local // DAY + 3) % 7
        weekdays.append(usage[weekday < 5].mean())
        weekends.append(usage[weekday >= 5].mean())
    assert np.mean(days) > 1.5 * np.mean(nights)
    assert np.mean(weekdays) > 1.05 * np.mean(weekends)


def test_counters_follow_the_season_as_the_gauges_do():
    kind = KIND[KindName.WEB]
    fleet = one_kind(KindName.WEB, 1)
    frames = series(fleet, 0, MONDAY + 60.0 * np.arange(2 * 1440))
    rate = np.diff(frames.values[:, column(kind, "network_receive_bytes_total")])
    grown = rate >= 0
    usage = frames.values[1:, 0]
    assert np.corrcoef(rate[grown], usage[grown])[0, 1] > 0.4


def test_memory_leaks_until_the_service_restarts():
    kind = KIND[KindName.APPLICATION]
    fleet = one_kind(KindName.APPLICATION, 60)
    traits = fleet.models[0].traits
    leaking = np.flatnonzero((traits.leak_share > 0.3) & (traits.leak_seconds < 3 * DAY))
    assert len(leaking) > 0
    assert (traits.leak_share > 0).mean() == pytest.approx(0.3, abs=0.2)
    position = int(leaking[0])
    period = traits.leak_seconds[position]
    frames = series(fleet, position, MONDAY + np.linspace(0.0, 4.0 * period, 2000))
    used = frames.values[:, column(kind, "memory_usage_percent")]
    drops = np.flatnonzero(np.diff(used) < -15.0)
    assert 3 <= len(drops) <= 6
    for begin, end in itertools.pairwise(drops):
        assert used[end] - used[begin + 1] > 15.0


def test_some_disks_fill_until_they_are_cleaned():
    kind = KIND[KindName.DATABASE]
    fleet = one_kind(KindName.DATABASE, 80)
    traits = fleet.models[0].traits
    filling = np.flatnonzero(traits.fill_to > 0.9)
    assert 0 < len(filling) < 20
    frames = series(fleet, int(filling[0]), MONDAY + 3600.0 * np.arange(24 * 90))
    used = frames.values[:, column(kind, "disk_partition_usage_percent", mountpoint="/backup")]
    assert used.max() > 90.0
    assert (np.diff(used) < -30.0).any()
    partitions = [
        column(kind, "disk_partition_usage_percent", mountpoint=disk.mountpoint) for disk in kind.disks
    ]
    fullest = frames.values[:, column(kind, "disk_usage_percent")]
    assert np.array_equal(fullest, frames.values[:, partitions].max(axis=1))


def test_noisy_neighbours_are_noticed_by_the_guests_of_one_host_together():
    fleet = one_kind(KindName.WEB, 12)
    steal = np.zeros((12, 2016))
    for position in range(12):
        frames = series(fleet, position, MONDAY + 300.0 * np.arange(2016))
        at = np.rint((frames.times - MONDAY) / 300.0).astype(int)
        steal[position, at] = frames.values[:, column(KIND[KindName.WEB], "cpu_steal_percent")]
    loud = steal > 4.0
    assert 0.001 < loud.mean() < 0.1
    together = np.corrcoef(loud.astype(float))
    assert together[0, 1] > 0.8
    assert together[0, 11] < 0.5


def test_office_machines_are_off_at_night_and_begin_anew_each_workday():
    fleet = one_kind(KindName.WORKSTATION, 60)
    traits = fleet.models[0].traits
    office = np.flatnonzero(traits.office_hours)
    assert 15 < len(office) < 45
    position = int(office[0])
    frames = series(fleet, position, MONDAY + 60.0 * np.arange(14 * 1440))
    local = frames.times + traits.time_zone_seconds[position]
    hours = (local % DAY) / 3600.0
    assert hours.min() >= 7.5
    assert hours.max() <= 19.1
    assert len(np.unique(local // DAY)) == pytest.approx(10, abs=1)
    uptime = frames.values[:, column(KIND[KindName.WORKSTATION], "system_uptime_seconds")]
    assert uptime.max() < DAY / 2


def test_few_clocks_are_broken_and_by_hours():
    skew = Fleet(1, 20_000).skew_seconds
    assert 0.003 < (skew != 0).mean() < 0.008
    assert skew[skew != 0].min() >= 7200.0


@given(interval=st.sampled_from([1.0, 5.0, 10.0, 60.0]), count=st.integers(2, 500))
def test_devices_are_spread_over_the_interval(interval, count):
    offsets = np.sort(Fleet(1, count).offsets(interval))
    assert offsets[0] >= 0
    assert offsets[-1] < interval
    assert np.diff(offsets).max() <= 3.0 * interval / count + 0.001


@settings(max_examples=60)
@given(period=st.sampled_from([1.0, 20.0, 3600.0]), start=st.floats(0, 2e9), seed=st.integers(0, 2**32 - 1))
def test_an_unsteady_clock_is_monotonic_and_never_far_from_the_true_time(period, start, seed):
    times = start + np.linspace(0.0, 20.0 * period, 500)
    keys = np.full(1, seed, np.uint32)
    clock, rate = unsteady_clock(keys, times, period)
    slack = 1e-6 * max(1.0, start)
    assert (np.diff(clock) >= -slack).all()
    assert (np.abs(clock - times) <= 0.9 * period + slack).all()
    assert ((rate > 0.09) & (rate < 1.91)).all()


def test_identities_are_unique():
    fleet = Fleet(1, 2000)
    devices = [fleet.device(index) for index in range(2000)]
    assert len({device.hostname for device in devices}) == 2000
    assert len({device.smbios_uuid for device in devices}) == 2000
    addresses = [
        address
        for device in devices
        for interface in inventory_report(fleet, device, MONDAY).inventory.interfaces
        for address in interface.ip_addresses
    ]
    assert len(set(addresses)) == len(addresses)


def test_reports_are_reproducible_and_believable():
    fleet = Fleet(2, 300)
    users = 0
    for index in range(0, 300, 7):
        device = fleet.device(index)
        now = MONDAY + 50_000.0
        report = process_report(fleet, device, now)
        assert report == process_report(Fleet(2, 400), device, now)
        processes = report.snapshots[0].processes
        assert len({process.pid for process in processes}) == len(processes)
        assert sum(process.memory_percent for process in processes) < 100.0
        sessions = session_report(fleet, device, now).sessions
        assert all(session.started_at <= now + device.skew_seconds for session in sessions)
        users += len(sessions)
    assert users > 0


def test_frames_are_what_json_would_have_written():
    frames = series(one_kind(KindName.DATABASE), 0, MONDAY + 10.0 * np.arange(5))
    encoded = FrameEncoder(frames.kind.channels).frames(frames.times, frames.values)
    for text, ts, row in zip(encoded, frames.times, frames.values, strict=True):
        values = dict(zip(frames.kind.channels, row.tolist(), strict=True))
        assert json.loads(text) == {"ts": ts, "values": values}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10", 10.0), ("10s", 10.0), ("1h30m", 5400.0), ("7d", 604_800.0), ("0.5m", 30.0), ("2w", 1_209_600.0)],
)
def test_durations(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "d", "10x", "-5s", "1h-30m", "ten"])
def test_what_is_no_duration_is_refused_by_name(text):
    with pytest.raises(ValueError, match="is no duration"):
        parse_duration(text)
