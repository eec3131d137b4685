"""The channels' values, block by block, in the order in which `kinds` lists the channels.

Each function fills rows of the output (one row per channel, one column per frame) and returns how many.
Gauges are rounded as agents round them: percentages to one decimal, memory to pages. Counters are whole
numbers that only grow while the device is up.
"""

from typing import Final

import numpy as np

from fleetkeeper.simulation.kinds import Kind
from fleetkeeper.simulation.noise import Floats, Keys, derive, jitter, uniform, unsteady_clock, wave
from fleetkeeper.simulation.rhythm import DAY, Rhythm, Traits

_PAGE: Final = 4096.0
_SECTOR: Final = 512.0
_RESERVED: Final = 0.05
"""Share of a file system that ext4 keeps for root."""


def _keys(traits: Traits, block: int, count: int) -> Keys:
    """Keys of `count` channels of a block, for each row: shape (count, rows)."""
    salts = np.arange(count, dtype=np.uint32)[:, None] + np.uint32(block * 256)
    return traits.keys[None, :] ^ (salts * np.uint32(0x9E3779B1))


def _pages(values: Floats) -> Floats:
    return np.floor(values / _PAGE) * _PAGE


def fill_cpu(out: Floats, kind: Kind, traits: Traits, rhythm: Rhythm, times: Floats) -> int:
    """Processor use, frequency, load and the cores."""
    keys = _keys(traits, 1, 5)
    swing = wave(keys[0], times, 90.0)
    noise = jitter(keys[1:5], times)
    load = kind.idle_percent + kind.busy_percent * traits.scale * rhythm.activity
    usage = load * (1.0 + 0.18 * swing + 0.08 * noise[0]) + 0.4 * noise[1]
    usage = np.clip(usage, 0.1, 99.0 - rhythm.steal_percent)
    iowait = np.clip(0.03 * load * (1.0 + noise[2]) - 0.2, 0.0, 99.0 - rhythm.steal_percent - usage)
    out[0] = np.round(usage, 1)
    out[1] = np.round(usage * 0.72, 1)
    out[2] = np.round(usage * 0.28, 1)
    out[3] = np.round(np.maximum(0.0, 100.0 - usage - iowait - rhythm.steal_percent), 1)
    out[4] = np.round(iowait, 1)
    out[5] = np.round(rhythm.steal_percent, 1)
    fixed = kind.virtualization is not None
    out[6] = kind.frequency_megahertz if fixed else np.rint(kind.frequency_megahertz * (0.7 + 0.004 * usage))
    runnable = kind.cores / 100.0
    out[7] = np.round(runnable * usage * (1.05 + 0.15 * noise[3]), 2)
    smooth = (
        kind.idle_percent + kind.busy_percent * traits.scale * (rhythm.activity + rhythm.calm_activity) / 2.0
    )
    out[8] = np.round(runnable * smooth * (1.0 + 0.1 * swing), 2)
    out[9] = np.round(
        runnable * (kind.idle_percent + kind.busy_percent * traits.scale * rhythm.calm_activity), 2
    )
    cores = _keys(traits, 2, kind.cores)
    share = 0.7 + 0.6 * uniform(cores)
    share += 0.25 * wave(derive(cores, 1), times, 120.0)
    share += 0.12 * jitter(derive(cores, 2), times)
    share *= usage
    np.clip(share, 0.0, 100.0, out=share)
    np.round(share, 1, out=out[10 : 10 + kind.cores])
    return 10 + kind.cores


def fill_memory(out: Floats, kind: Kind, traits: Traits, rhythm: Rhythm, times: Floats) -> int:
    """Memory with leaks that end when the leaking service, or the device, restarts; and swap."""
    keys = _keys(traits, 3, 3)
    total = _pages(traits.memory_bytes * 0.982)
    leak = traits.leak_share * np.modf(rhythm.uptime / traits.leak_seconds)[0]
    share = kind.memory_share * (0.92 + 0.08 * np.minimum(rhythm.calm_activity, 2.0)) + leak
    share += 0.012 * wave(keys[0], times, 900.0) + 0.001 * jitter(keys[1], times)
    used = _pages(np.clip(share, 0.05, 0.985) * total)
    warm = 1.0 - np.exp(rhythm.uptime / -7200.0)
    out[0] = total
    out[1] = total - used
    out[2] = used
    out[3] = _pages(total * 0.004 * (1.0 + warm))
    out[4] = np.minimum(_pages(total * 0.3 * warm * (1.0 + 0.02 * wave(keys[2], times, 300.0))), total - used)
    out[5] = np.round(100.0 * used / total, 1)
    swap = 4.0 * 1024**3
    swapped = _pages(np.clip((share - 0.82) * 4.0, 0.0, 0.95) * swap)
    out[6] = swap
    out[7] = swapped
    out[8] = np.round(100.0 * swapped / swap, 1)
    return 9


def _grow(keys: Keys, rhythm: Rhythm, rates: Floats) -> Floats:
    """Counters at a mean of `rates` per second: most follows the device's work, some a rhythm of its own."""
    own, _ = unsteady_clock(keys, rhythm.uptime, 20.0)
    own *= 0.3
    own += 0.7 * rhythm.work
    own *= rates
    return own


def fill_network(out: Floats, kind: Kind, traits: Traits, rhythm: Rhythm, times: Floats) -> int:
    """Counters of each interface, and their sums. The first interface carries most of the traffic."""
    del times
    count = len(kind.interfaces)
    weights = (
        np.array([1.0, 0.12, 0.02, 0.005][:count])[:, None] * kind.network_bytes_per_second * traits.scale
    )
    fields = out[8 : 8 + 8 * count].reshape(count, 8, -1)
    fields[:, 0] = np.floor(_grow(_keys(traits, 4, count), rhythm, weights))
    fields[:, 1] = np.floor(_grow(_keys(traits, 5, count), rhythm, weights * 1.7))
    fields[:, 2] = np.floor(fields[:, 0] / 680.0)
    fields[:, 3] = np.floor(fields[:, 1] / 940.0)
    fields[:, 4] = np.floor(rhythm.uptime / (5.0 * DAY))
    fields[:, 5] = 0.0
    fields[:, 6] = np.floor(fields[:, 2] * 1e-7)
    fields[:, 7] = np.floor(fields[:, 3] * 2e-8)
    fields.sum(axis=0, out=out[:8])
    return 8 + 8 * count


def fill_disks(out: Floats, kind: Kind, traits: Traits, rhythm: Rhythm, times: Floats) -> int:
    """File systems that fill up until somebody cleans them, and counters of the block devices."""
    keys = _keys(traits, 6, 2 * len(kind.disks))
    fullest = np.zeros_like(times)
    row = 1
    for number, disk in enumerate(kind.disks):
        fixed = 0.3 + 0.25 * uniform(keys[2 * number])
        if disk.mountpoint.startswith("/boot"):
            share = fixed
        else:
            age = np.modf((times + traits.keys) / traits.fill_seconds)[0]
            swing = 0.004 * wave(keys[2 * number + 1], times, 1800.0)
            filled = traits.fill_from + (traits.fill_to - traits.fill_from) * age
            share = (filled if number else 0.6 * fixed + 0.3 * filled) + swing
        used = _pages(share * disk.size_bytes)
        free = np.maximum(0.0, disk.size_bytes * (1.0 - _RESERVED) // _PAGE * _PAGE - used)
        percent = np.round(100.0 * used / (used + free), 1)
        out[row], out[row + 1], out[row + 2], out[row + 3] = disk.size_bytes, used, free, percent
        np.maximum(fullest, percent, out=fullest)
        row += 4
    out[0] = fullest
    count = len(kind.block_devices)
    rates = kind.disk_bytes_per_second * traits.scale / np.arange(1.0, count + 1.0)[:, None]
    fields = out[row + 4 : row + 4 + 5 * count].reshape(count, 5, -1)
    fields[:, 0] = np.floor(_grow(_keys(traits, 7, count), rhythm, rates * 0.4) / _SECTOR) * _SECTOR
    fields[:, 1] = np.floor(_grow(_keys(traits, 8, count), rhythm, rates) / _SECTOR) * _SECTOR
    fields[:, 2] = np.floor(fields[:, 0] / 36_000.0)
    fields[:, 3] = np.floor(fields[:, 1] / 14_000.0)
    busy = 4.0 * rhythm.activity * traits.scale * (1.0 + 0.5 * jitter(_keys(traits, 9, count), times))
    fields[:, 4] = np.round(np.clip(busy, 0.0, 100.0), 1)
    fields[:, :4].sum(axis=0, out=out[row : row + 4])
    return row + 4 + 5 * count


def fill_system(out: Floats, kind: Kind, traits: Traits, rhythm: Rhythm, times: Floats) -> int:
    """Paging rates, uptime, processes, users, and the agent's account of itself."""
    keys = _keys(traits, 10, 6)
    noise = jitter(keys, times)
    rate = kind.disk_bytes_per_second / 1024.0 * traits.scale * rhythm.activity
    pressure = np.maximum(0.0, traits.leak_share - 0.2) * np.modf(rhythm.uptime / traits.leak_seconds)[0]
    out[0] = np.round(np.maximum(0.0, 0.4 * rate * (1.0 + 0.6 * noise[0])), 1)
    out[1] = np.round(np.maximum(0.0, rate * (1.0 + 0.4 * noise[1])), 1)
    out[2] = np.round(40.0 * pressure * (1.0 + noise[2]), 1)
    out[3] = np.round(65.0 * pressure * (1.0 + noise[2]), 1)
    out[4] = np.round(220.0 * kind.cores * rhythm.activity * (1.0 + 0.2 * noise[3]), 1)
    out[5] = np.round(np.maximum(0.0, 2.0 * noise[4] - 1.0), 1)
    out[6] = np.floor(rhythm.uptime)
    out[7] = np.rint(14.0 * kind.cores + 60.0 + 12.0 * rhythm.calm_activity)
    out[8] = np.where(rhythm.calm_activity > 0.8, kind.users, kind.users - 1)
    out[9] = np.floor(rhythm.uptime * 0.31) / 100.0
    out[10] = _pages(38e6 + 4e5 * np.floor(4.0 * uniform(keys[5], (rhythm.uptime / 7200.0).astype(np.int64))))
    out[11] = 0.0
    out[12] = 0.0
    out[13] = np.round(0.0045 + 0.0012 * noise[5], 4)
    return 14


def fill_hardware(out: Floats, kind: Kind, traits: Traits, rhythm: Rhythm, times: Floats) -> int:
    """What only some kinds have: temperature, hardware counters, GPUs."""
    row = 0
    keys = _keys(traits, 11, 4)
    load = np.clip(kind.idle_percent + kind.busy_percent * traits.scale * rhythm.calm_activity, 0.0, 100.0)
    if kind.virtualization is None:
        out[0] = np.rint(36.0 + 0.42 * load + 1.5 * wave(keys[0], times, 240.0))
        row = 1
    if kind.has_perf_events:
        cycles = _grow(keys[1], rhythm, 1.1e8 * traits.scale)
        instructions_per_cycle = np.round(1.15 + 0.2 * wave(keys[2], times, 600.0), 2)
        misses = np.round(4.0 + 1.5 * wave(keys[3], times, 400.0), 1)
        instructions = np.floor(cycles * 1.15)
        out[row] = np.floor(cycles)
        out[row + 1] = instructions
        out[row + 2] = instructions_per_cycle
        out[row + 3] = np.floor(instructions * 0.011)
        out[row + 4] = np.floor(instructions * 0.00044)
        out[row + 5] = misses
        out[row + 6] = np.floor(instructions * 0.19)
        out[row + 7] = np.floor(instructions * 0.0027)
        out[row + 8] = np.round(1.4 + 0.04 * (misses - 4.0), 1)
        out[row + 9] = np.floor(instructions * 0.0009)
        row += 10
    if kind.gpus:
        gpu = _keys(traits, 12, kind.gpus)
        busy = np.clip(45.0 * rhythm.activity * traits.scale + 6.0 * jitter(gpu, times), 0.0, 100.0)
        fields = out[row : row + 5 * kind.gpus].reshape(kind.gpus, 5, -1)
        fields[:, 0] = np.rint(busy)
        fields[:, 1] = 48.0 * 1024**3
        fields[:, 2] = np.floor(busy * 0.4) * 1024**3
        fields[:, 3] = np.rint(31.0 + 0.45 * busy)
        fields[:, 4] = np.round(38.0 + 2.9 * busy + 3.0 * jitter(derive(gpu, 1), times), 1)
        row += 5 * kind.gpus
    return row


BLOCKS: Final = (fill_cpu, fill_memory, fill_network, fill_disks, fill_system, fill_hardware)
