"""When a simulated device runs, and how busy it is: reboots, office hours, seasons, bursts, unsteadiness."""

from typing import Final, NamedTuple

import numpy as np

from fleetkeeper.simulation.kinds import Kind
from fleetkeeper.simulation.noise import Floats, Keys, derive, jitter, uniform, unsteady_clock

DAY: Final = 86_400.0
WEEK: Final = 604_800.0
_TURN: Final = 2.0 * np.pi
_EPOCH_WEEKDAY: Final = 3
"""1 January 1970 was a Thursday; Monday is 0."""


class Traits(NamedTuple):
    """What distinguishes devices of one kind: arrays with one entry per device."""

    keys: Keys
    neighbours: Keys
    """Key of the hypervisor that a virtual machine shares with others."""
    time_zone_seconds: Floats
    scale: Floats
    """How much more or less than its kind a device has to do; about 1."""
    memory_bytes: Floats
    reboot_seconds: Floats
    """Mean time between two reboots."""
    office_hours: Floats
    """1 where the device is switched off at night and at weekends."""
    leak_share: Floats
    leak_seconds: Floats
    """Time from a restart of the leaking service to the next."""
    fill_from: Floats
    fill_to: Floats
    """Used share of the data disks after a clean-up and before the next."""
    fill_seconds: Floats

    def take(self, positions: np.ndarray) -> "Traits":
        """Return the traits of the devices at `positions`, one entry per row to be computed."""
        return Traits(*(values[positions] for values in self))


class Rhythm(NamedTuple):
    """The state of the rows' devices at the rows' times, one entry per row."""

    uptime: Floats
    """Seconds since the last start."""
    reporting: np.ndarray
    """False where the device was off: there is no frame then."""
    work: Floats
    """Seconds of mean activity since the last start; monotonic until the next."""
    activity: Floats
    """Present activity; its mean is about 1."""
    calm_activity: Floats
    """The same without what changes within minutes."""
    steal_percent: Floats


def last_boot(traits: Traits, times: Floats) -> tuple[Floats, np.ndarray]:
    """Return when each row's device last started (epoch seconds) and whether it reports at that time."""
    keys = derive(traits.keys, 11)
    period = traits.reboot_seconds
    cell = np.floor(times / period)
    steps = cell.astype(np.int64)
    planned = (cell + 0.1 + 0.8 * uniform(keys, steps)) * period
    before = (cell - 0.9 + 0.8 * uniform(keys, steps - 1)) * period
    outage = 40.0 + 360.0 * uniform(derive(traits.keys, 12), steps)
    ahead = planned > times
    boot = np.where(ahead, before, planned)
    reporting = ~(ahead & (planned - times <= outage))
    if traits.office_hours.any():
        day = np.floor((times + traits.time_zone_seconds) / DAY)
        days = day.astype(np.int64)
        midnight = day * DAY - traits.time_zone_seconds
        start = midnight + 3600.0 * (7.5 + uniform(derive(traits.keys, 13), days))
        end = midnight + 3600.0 * (17.0 + 2.0 * uniform(derive(traits.keys, 14), days))
        workday = (days + _EPOCH_WEEKDAY) % 7 < 5
        office = traits.office_hours > 0
        boot = np.where(office, start, boot)
        reporting = np.where(office, workday & (start <= times) & (times < end), reporting)
    return np.rint(boot), reporting


def _season(kind: Kind, local: Floats) -> tuple[Floats, Floats]:
    """Return the season's integral over time (seconds) and its rate, both per row; the mean rate is 1."""
    day_angle = _TURN * (local / DAY - kind.peak_hour / 24.0)
    week_angle = _TURN * (local / WEEK + 0.5 / 7.0)  # the peak is Wednesday noon
    integral = (
        local + kind.daily * DAY / _TURN * np.sin(day_angle) + kind.weekly * WEEK / _TURN * np.sin(week_angle)
    )
    rate = 1.0 + kind.daily * np.cos(day_angle) + kind.weekly * np.cos(week_angle)
    return integral, rate


def _bursts(kind: Kind, local: Floats, keys: Keys) -> tuple[Floats, Floats]:
    """Return integral and rate of work that comes in blocks: batch runs, nightly backups."""
    period, duty = kind.burst_period_seconds, kind.burst_duty
    shift = 3600.0 * (2.0 + uniform(derive(keys, 15)))
    position = (local - shift) / period
    cell = np.floor(position)
    part = position - cell
    return period * (cell + np.minimum(part / duty, 1.0)), np.where(part < duty, 1.0 / duty, 0.0)


def _steal(kind: Kind, traits: Traits, times: Floats) -> Floats:
    """Return the percentage that noisy neighbors take; guests of one hypervisor suffer at the same time."""
    if kind.virtualization is None:
        return np.zeros_like(times)
    position = times / 1800.0
    cell = np.floor(position)
    part = position - cell
    steps = cell.astype(np.int64)
    loud = uniform(traits.neighbours, steps) < 0.03
    strength = 6.0 + 30.0 * uniform(derive(traits.neighbours, 16), steps)
    noise = jitter(derive(traits.keys, 17), times)
    quiet = np.maximum(0.0, 0.25 * noise - 0.05)
    return np.where(loud, np.maximum(0.0, strength * 4.0 * part * (1.0 - part) + 1.5 * noise), quiet)


def measure_rhythm(kind: Kind, traits: Traits, times: Floats) -> Rhythm:
    """Compute the state that all channels of a row share.

    `traits` and `times` (epoch seconds) have one entry per row.
    """
    boot, reporting = last_boot(traits, times)
    uptime = np.maximum(times - boot, 0.0)
    local = times + traits.time_zone_seconds
    season_now, season_rate = _season(kind, local)
    season_then, _ = _season(kind, local - uptime)
    hourly, hourly_rate = unsteady_clock(derive(traits.keys, 18), uptime, 3600.0)
    brief, brief_rate = unsteady_clock(derive(traits.keys, 19), uptime, 300.0)
    work = 0.68 * (season_now - season_then) + 0.2 * hourly + 0.12 * brief
    calm = 0.68 * season_rate + 0.2 * hourly_rate + 0.12
    activity = 0.68 * season_rate + 0.2 * hourly_rate + 0.12 * brief_rate
    if kind.burst_weight:
        burst_now, burst_rate = _bursts(kind, local, traits.keys)
        burst_then, _ = _bursts(kind, local - uptime, traits.keys)
        steady = 1.0 - kind.burst_weight
        work = steady * work + kind.burst_weight * (burst_now - burst_then)
        calm = steady * calm + kind.burst_weight
        activity = steady * activity + kind.burst_weight * burst_rate
    return Rhythm(uptime, reporting, work, activity, calm, _steal(kind, traits, times))
