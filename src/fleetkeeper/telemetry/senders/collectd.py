"""collectd's JSON, as its plugin write_http posts it. Pure.

https://www.collectd.org/documentation/manpages/collectd.conf.html (Format JSON). Names and labels are those of
collectd's own write_prometheus plugin: `collectd_df_df_complex{df="root",type="free",instance="web1"}`.
"""

from collections.abc import Hashable, Sequence

import msgspec
import numpy as np

from fleetkeeper.telemetry.reasons import Reason
from fleetkeeper.telemetry.senders.batches import (
    MAX_MICROSECONDS,
    PartError,
    SampleBatch,
    SenderInputError,
    Series,
    SeriesCache,
    single_samples,
)
from fleetkeeper.telemetry.senders.effort import STEP_PARTS, Effort
from fleetkeeper.telemetry.senders.metric_names import escaped, label_name

MAX_VALUES = 1000
_COUNTERS = frozenset({"counter", "derive"})
# JSON objects and values for each sample: a list has one of each and what describes it, or it is a notification.
_OBJECTS, _VALUES = 3, 15


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


class _LooseList(_ValueList):
    """A value list of which some values are no numbers."""

    values: list[msgspec.Raw] | None = None  # type: ignore[assignment]


class _Counted(msgspec.Struct):
    """What is known of a list that cannot be read."""

    values: list[msgspec.Raw] = []


_decoder = msgspec.json.Decoder(list[_ValueList])
_items_decoder = msgspec.json.Decoder(list[msgspec.Raw])
_loose_decoder = msgspec.json.Decoder(_LooseList)
_counted_decoder = msgspec.json.Decoder(_Counted)
_number_decoder = msgspec.json.Decoder(float | None)


def read_values(body: bytes, known: SeriesCache, effort: Effort) -> SampleBatch:
    """Read value lists; a list or value that is wrong is left out and counted. Raises SenderInputError."""
    reader = _Reader(known)
    most = effort.max_samples
    effort.check_json(body, max_objects=_OBJECTS * most, max_values=_VALUES * most)
    for index, item in enumerate(_lists_of(body, effort)):
        if not index % STEP_PARTS:
            effort.check()
            effort.check_number(len(reader.series), "values")
        if isinstance(item, int):
            reader.leave_out(Reason.BAD_POINT, item, f"[{index}] is no value list")
            continue
        try:
            reader.read(item)
        except PartError as error:
            number = max(1, len(item.values or ()))
            reader.leave_out(error.reason, number, f"[{index}] {error}", _identifier(item))
    effort.check_number(len(reader.series), "values")
    return reader.batch()


def _lists_of(body: bytes, effort: Effort) -> Sequence[_ValueList | int]:
    """The value lists, and of what is none how many values it has, at least one.

    Raises SenderInputError for what is no JSON, or no list.
    """
    try:
        return _decoder.decode(body)
    except msgspec.ValidationError:
        pass
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _unreadable(error) from None
    try:
        items = _items_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _unreadable(error) from None
    effort.check_number(len(items), "value lists", times=_OBJECTS)
    return [_list_of(raw) for raw in effort.steps(items)]


def _unreadable(error: Exception) -> SenderInputError:
    return SenderInputError(f"the body is not collectd's JSON: {str(error)[:200]}")


def _list_of(raw: msgspec.Raw) -> _ValueList | int:
    try:
        return _loose_decoder.decode(raw)
    except msgspec.ValidationError:
        pass
    try:
        return max(1, len(_counted_decoder.decode(raw).values))
    except msgspec.ValidationError:
        return 1


class _Reader:
    def __init__(self, known: SeriesCache) -> None:
        self._known = known
        self._found: dict[Hashable, Series] = {}
        self.series: list[Series] = []
        self._seconds: list[float] = []
        self._numbers: list[float] = []
        self._left_out: dict[Reason, tuple[int, str]] = {}
        self._examples: dict[Reason, str | Series] = {}

    def leave_out(self, reason: Reason, number: int, sentence: str, example: str = "") -> None:
        """Count values that are not stored; the first sentence and example of a reason stay."""
        before, said = self._left_out.get(reason, (0, sentence))
        self._left_out[reason] = (before + number, said)
        self._examples.setdefault(reason, example)

    def read(self, item: _ValueList) -> None:
        """One value list. Raises PartError."""
        values, names, kinds = item.values, item.dsnames, item.dstypes
        if values is None:
            self.leave_out(Reason.NOTIFICATION, 1, Reason.NOTIFICATION.sentence, _identifier(item))
            return
        host, plugin, kind_of_list = item.host, item.plugin, item.type
        if not host:
            raise PartError(Reason.NO_HOST, "has no host")
        if not plugin or not kind_of_list:
            raise PartError(Reason.BAD_NAME, "has no plugin or type")
        if not len(values) == len(kinds) == len(names) or len(values) > MAX_VALUES:
            raise PartError(Reason.BAD_POINT, "has not as many dsnames and dstypes as values")
        get, found = self._known.get, self._found
        for value, name, kind in zip(values, names, kinds, strict=True):
            if isinstance(value, msgspec.Raw):
                try:
                    value = _number_decoder.decode(value)  # noqa: PLW2901 - the same value
                except msgspec.ValidationError:
                    text = f"a value of {plugin[:80]} is no number"
                    self.leave_out(Reason.BAD_POINT, 1, text, _identifier(item))
                    continue
            if value is None:
                self.leave_out(Reason.NO_VALUE, 1, Reason.NO_VALUE.sentence, _identifier(item))
                continue
            key = host, plugin, item.plugin_instance, kind_of_list, item.type_instance, name, kind
            one = get(key) or found.get(key)
            if one is None:
                one = found[key] = _series(item, name, is_counter=kind in _COUNTERS)
                one.identity = hash(key) or 1
            self.series.append(one)
            self._seconds.append(item.time)
            self._numbers.append(value)

    def batch(self) -> SampleBatch:
        """What was read."""
        times = np.rint(
            np.clip(np.array(self._seconds, np.float64) * 1e6, -MAX_MICROSECONDS, MAX_MICROSECONDS)
        )
        batch = single_samples(self.series, times.astype(np.int64), np.array(self._numbers, np.float64))
        batch.found, batch.left_out, batch.examples = self._found, self._left_out, self._examples
        return batch


def _identifier(item: _ValueList) -> str:
    """A value list as collectd names it: host/plugin-instance/type-instance."""
    plugin = "-".join(filter(None, (item.plugin, item.plugin_instance)))
    kind = "-".join(filter(None, (item.type, item.type_instance)))
    return "/".join(filter(None, (item.host, plugin, kind)))


def _series(item: _ValueList, name: str, *, is_counter: bool) -> Series:
    words = ["collectd", item.plugin]
    if item.type != item.plugin:
        words.append(item.type)
    if name != "value":
        words.append(name)
    if is_counter:
        words.append("total")
    labels = {"__name__": "_".join(words), "instance": item.host}
    label = label_name(item.plugin)
    if label in labels or label == "type":
        label = f"plugin_{label}"
    if item.plugin_instance:
        labels[label] = item.plugin_instance
    if item.type_instance:
        labels["type" if item.plugin_instance else label] = item.type_instance
    plugin = f"{escaped(item.plugin)}{'-*' if item.plugin_instance else ''}"
    kind_of_list = f"{escaped(item.type)}{'-*' if item.type_instance else ''}"
    return Series(labels, {"host": item.host}).called(f"{plugin}/{kind_of_list} {escaped(name)}")
