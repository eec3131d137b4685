"""Made-up telemetry whose shape is known: the series that compression and queries are measured with."""

import struct
from collections.abc import Iterator

import numpy as np
import psycopg
from numpy.typing import NDArray

from fleetkeeper.telemetry.frames import POSTGRES_EPOCH_SECONDS, copy_payload

SEED = 123
_BLOCK = 2_000


def clamped_walks(hosts: int, steps: int, metrics: int = 10) -> NDArray[np.float64]:
    """Whole numbers from 0 to 100 that move by a normal step, as the cpu-only set of TSBS has them.

    The shape is (hosts, steps, metrics).
    """
    random = np.random.default_rng(SEED)
    state = random.uniform(0, 100, (hosts, metrics))
    walks = np.empty((hosts, steps, metrics))
    for step in range(steps):
        state = np.clip(state + random.normal(0, 1, state.shape), 0, 100)
        walks[:, step] = np.floor(state)
    return walks


def mixed(hosts: int, steps: int) -> NDArray[np.float64]:
    """What agents report: percentages with one decimal, byte counters, page-sized gauges, temperatures, constants."""
    random = np.random.default_rng(SEED)
    shape = (hosts, steps, 2)
    percent = np.round(
        np.clip(50 + np.cumsum(random.normal(0, 0.8, shape), 1) + random.normal(0, 1, shape), 0, 100), 1
    )
    counters = np.cumsum(random.poisson(3e5, shape), 1).astype(float)
    pages = np.floor((4e9 + np.cumsum(random.normal(0, 1e6, shape), 1)) / 4096) * 4096
    degrees = np.round(45 + np.cumsum(random.normal(0, 0.1, shape), 1))
    steady = np.full(shape, 16.0) + (np.arange(steps) > steps // 2)[None, :, None]
    return np.concatenate([percent, counters, pages, degrees, steady], axis=2)


def copy_frames(
    connection: psycopg.Connection,
    devices: list[bytes],
    layout: int,
    start_us: int,
    step_us: int,
    values: NDArray[np.float64],
) -> None:
    """Write frames by binary COPY in the order of time, as a fleet reports; `values` are (devices, steps, channels)."""
    _, steps, channels = values.shape
    row = np.dtype(
        [
            ("head", ">i2"), ("l1", ">i4"), ("device", "V16"), ("l2", ">i4"), ("ts", ">i8"), ("l3", ">i4"),
            ("layout", ">i4"), ("l4", ">i4"), ("array", "V20"), ("elements", [("l", ">i4"), ("v", ">f8")], (channels,)),
        ]
    )  # fmt: skip
    rows = np.zeros(len(devices), row)
    rows["head"], rows["l1"], rows["l2"], rows["l3"], rows["l4"] = 4, 16, 8, 4, 20 + 12 * channels
    rows["layout"], rows["elements"]["l"] = layout, 8
    rows["device"] = np.array([np.void(one) for one in devices])
    rows["array"] = np.void(struct.pack(">iiiii", 1, 0, 701, channels, 1))
    offset = start_us - POSTGRES_EPOCH_SECONDS * 1_000_000

    def blocks() -> Iterator[bytes]:
        for step in range(steps):
            rows["ts"] = offset + step * step_us
            rows["elements"]["v"] = values[:, step]
            yield rows.tobytes()

    payload = blocks()
    whole = copy_payload([])
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY frames (device_id, ts, layout_id, values) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.write(whole[:-2])
        for block in payload:
            copy.write(block)
        copy.write(whole[-2:])
