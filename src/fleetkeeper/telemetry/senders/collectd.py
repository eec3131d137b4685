"""collectd's JSON, as its plugin write_http posts it. Pure.

https://www.collectd.org/documentation/manpages/collectd.conf.html (Format JSON). Names and labels are those of
collectd's own write_prometheus plugin: `collectd_df_df_complex{df="root",type="free",instance="web1"}`.
"""

from collections.abc import Hashable

import msgspec
import numpy as np

from fleetkeeper.telemetry.senders.batches import (
    MAX_MICROSECONDS,
    SampleBatch,
    SenderInputError,
    Series,
    SeriesCache,
    TooManyError,
    single_samples,
)
from fleetkeeper.telemetry.senders.metric_names import label_name, metric_name

MAX_VALUES = 1000
_COUNTERS = frozenset({"counter", "derive"})


class _ValueList(msgspec.Struct):
    host: str = ""
    plugin: str = ""
    type: str = ""
    plugin_instance: str = ""
    type_instance: str = ""
    time: float = 0.0
    # A notification has none of these.
    values: list[float | None] | None = None
    dstypes: list[str] = []
    dsnames: list[str] = []


_decoder = msgspec.json.Decoder(list[_ValueList])


def read_values(body: bytes, known: SeriesCache, *, max_samples: int) -> SampleBatch:
    """Read value lists. Raises SenderInputError."""
    try:
        lists = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SenderInputError(f"the body is not collectd's JSON: {str(error)[:200]}") from None
    found = dict[Hashable, Series]()
    notifications = 0
    series: list[Series] = []
    seconds: list[float] = []
    numbers: list[float] = []
    get = known.get
    for index, item in enumerate(lists):
        values, names, kinds = item.values, item.dsnames, item.dstypes
        if values is None:
            notifications += 1
            continue
        host, plugin, kind_of_list = item.host, item.plugin, item.type
        if not host or not plugin or not kind_of_list:
            raise SenderInputError(f"[{index}] has no host, plugin or type")
        if not len(values) == len(kinds) == len(names) or len(values) > MAX_VALUES:
            raise SenderInputError(f"[{index}] has not as many dsnames and dstypes as values")
        for value, name, kind in zip(values, names, kinds, strict=True):
            if value is None:
                continue
            key = host, plugin, item.plugin_instance, kind_of_list, item.type_instance, name, kind
            one = get(key) or found.get(key)
            if one is None:
                one = found[key] = _series(item, name, is_counter=kind in _COUNTERS)
            series.append(one)
            seconds.append(item.time)
            numbers.append(value)
        if len(series) > max_samples:
            raise TooManyError(f"one request has at most {max_samples} values")
    times = np.rint(np.clip(np.array(seconds, np.float64) * 1e6, -MAX_MICROSECONDS, MAX_MICROSECONDS))
    batch = single_samples(series, times.astype(np.int64), np.array(numbers, np.float64))
    batch.found = found
    batch.leave_out(NOTIFICATION, notifications, "notifications are not stored")
    return batch


NOTIFICATION = "notification"


def _series(item: _ValueList, name: str, *, is_counter: bool) -> Series:
    words = ["collectd", item.plugin]
    if item.type != item.plugin:
        words.append(item.type)
    if name != "value":
        words.append(name)
    if is_counter:
        words.append("total")
    labels = {"__name__": metric_name("_".join(words)), "instance": item.host}
    if item.plugin_instance:
        labels[label_name(item.plugin)] = item.plugin_instance
    if item.type_instance:
        labels["type" if item.plugin_instance else label_name(item.plugin)] = item.type_instance
    return Series(labels, {"host": item.host})
