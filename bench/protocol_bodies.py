"""The same samples in each protocol: twenty machines at one moment to a request, as senders batch them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from bench import remote_write
from bench.payloads import CHANNELS, http_request, influx_field, influx_number
from fleetkeeper_protocol.metrics import describe, parse_channel

TOGETHER = 20
PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}
_PARSED = [parse_channel(channel) for channel in CHANNELS]


@dataclass(frozen=True)
class Batch:
    """Twenty machines whose bodies share what does not change."""

    hosts: Sequence[str]

    def remote_write(self, moment_ms: int, rows: NDArray[np.float64]) -> bytes:
        """remote_write 1.0."""
        return remote_write.body(self._labels, np.array([moment_ms]), rows.reshape(-1, 1))

    def remote_write_v2(self, moment_ms: int, rows: NDArray[np.float64]) -> bytes:
        """remote_write 2.0."""
        symbols, series = self._references
        return remote_write.body_v2(symbols, series, np.array([moment_ms]), rows.reshape(-1, 1))

    def influx(self, moment_ms: int, rows: NDArray[np.float64]) -> bytes:
        """Line protocol, a line with all fields for each machine: the form that costs its servers least."""
        lines = [
            f"fleet,host={host} "
            + ",".join(
                f"{name}={influx_number(value)}" for name, value in zip(self._fields, row, strict=True)
            )
            + f" {moment_ms}000000"
            for host, row in zip(self.hosts, rows.tolist(), strict=True)
        ]
        return "\n".join(lines).encode()

    def otlp(self, moment_ms: int, rows: NDArray[np.float64]) -> bytes:
        """OTLP in protobuf, gauges."""
        request = ExportMetricsServiceRequest()
        for host, row in zip(self.hosts, rows.tolist(), strict=True):
            resource = request.resource_metrics.add()
            attribute = resource.resource.attributes.add()
            attribute.key, attribute.value.string_value = "host.name", host
            metrics = resource.scope_metrics.add().metrics
            for (name, labels), value in zip(_PARSED, row, strict=True):
                metric = metrics.add()
                metric.name = name
                point = metric.gauge.data_points.add()
                point.time_unix_nano, point.as_double = moment_ms * 1_000_000, value
                for key, text in labels.items():
                    label = point.attributes.add()
                    label.key, label.value.string_value = key, text
        return bytes(request.SerializeToString())

    def otlp_json(self, moment_ms: int, rows: NDArray[np.float64]) -> bytes:
        """OTLP in JSON, gauges."""
        stamp = str(moment_ms * 1_000_000)
        resources = []
        for host, row in zip(self.hosts, rows.tolist(), strict=True):
            metrics = [
                {
                    "name": name,
                    "gauge": {
                        "dataPoints": [
                            {"timeUnixNano": stamp, "asDouble": value, "attributes": _attributes(labels)}
                        ]
                    },
                }
                for (name, labels), value in zip(_PARSED, row, strict=True)
            ]
            resource = {"attributes": _attributes({"host.name": host})}
            resources.append({"resource": resource, "scopeMetrics": [{"metrics": metrics}]})
        return msgspec.json.encode({"resourceMetrics": resources})

    def collectd(self, moment_ms: int, rows: NDArray[np.float64]) -> bytes:
        """JSON of collectd, a value list for each value."""
        lists = [
            {
                "values": [value],
                "dstypes": ["gauge"],
                "dsnames": ["value"],
                "time": moment_ms / 1000,
                "interval": 1.0,
                "host": host,
                "plugin": describe(name).group,
                "plugin_instance": "-".join(labels.values()),
                "type": name,
                "type_instance": "",
            }
            for host, row in zip(self.hosts, rows.tolist(), strict=True)
            for (name, labels), value in zip(_PARSED, row, strict=True)
        ]
        return msgspec.json.encode(lists)

    def _series(self) -> Sequence[Mapping[str, str]]:
        return [
            {"__name__": name, "instance": host, **labels} for host in self.hosts for name, labels in _PARSED
        ]

    @cached_property
    def _labels(self) -> Sequence[bytes]:
        return [remote_write.label_bytes(labels) for labels in self._series()]

    @cached_property
    def _references(self) -> tuple[Sequence[str], Sequence[bytes]]:
        symbols = remote_write.Symbols()
        series = [symbols.refs(labels) for labels in self._series()]
        return list(symbols), series

    @cached_property
    def _fields(self) -> Sequence[str]:
        return [influx_field(channel) for channel in CHANNELS]


def _attributes(labels: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": text}} for key, text in labels.items()]


@dataclass(frozen=True)
class Protocol:
    """How samples are sent, and where Fleetkeeper takes them."""

    name: str
    path: str
    headers: Mapping[str, str]
    encode: Callable[[Batch, int, NDArray[np.float64]], bytes]
    most_requests: int = 3000
    """How many are made: more than a run of six seconds needs."""

    def request(
        self, path: str, batch: Batch, moment_ms: int, rows: NDArray[np.float64], *headers: str
    ) -> bytes:
        """A whole request over HTTP."""
        lines = [*headers, *(f"{name}: {value}" for name, value in self.headers.items())]
        return http_request(path, lines, self.encode(batch, moment_ms, rows))


REMOTE_WRITE = Protocol(
    "remote_write 1.0", "/prometheus/api/v1/write", remote_write.HEADERS, Batch.remote_write
)
INFLUX = Protocol("Influx line protocol", "/influx/write", {}, Batch.influx)
PROTOCOLS = (
    REMOTE_WRITE,
    Protocol("remote_write 2.0", "/prometheus/api/v1/write", remote_write.V2_HEADERS, Batch.remote_write_v2),
    INFLUX,
    Protocol("OTLP protobuf", "/otlp/v1/metrics", PROTOBUF, Batch.otlp, 800),
    Protocol("OTLP JSON", "/otlp/v1/metrics", JSON, Batch.otlp_json, 300),
    Protocol("collectd JSON", "/collectd", JSON, Batch.collectd, 800),
)
