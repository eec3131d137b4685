"""The files of `tests/corpus` that senders' requests stand in: read, and encoded as each protocol has it.

`tests/corpus/README.md` says how such a file is written.
"""

import gzip
import json
import re
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
import zstandard
from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from fleetkeeper.telemetry.chunks.codec import MISSING_BITS
from tests.factories.senders import V2, WRITE, Symbols, field, metadata, sample, snappy, varint

FOLDER = Path(__file__).parents[1] / "corpus"
PROTOBUF = "application/x-protobuf"
STALE_BITS = 0x7FF0_0000_0000_0002
_MARKERS = {"stale": STALE_BITS, "gap": MISSING_BITS}
_UNITS = {"s": 1, "ms": 1000, "us": 1_000_000, "ns": 1_000_000_000}
_TIME = re.compile(r"\{(s|ms|us|ns)([+-]\d+(?:\.\d+)?)\}")
_REPEATED = re.compile(r"<<(.*?) \*(\d+)>>", re.DOTALL)
_PACKERS = {
    "identity": bytes,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "snappy": snappy,
}
# What Prometheus numbers types of metrics by.
_KINDS = ("unknown", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset")


@dataclass(frozen=True)
class Sent:
    """One request as it goes over the wire, and what is answered."""

    url: str
    content: bytes
    headers: dict[str, str]
    answer: dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One file, in one of the ways in which its requests can be sent."""

    path: Path
    way: str

    @property
    def protocol(self) -> str:
        """As counters call it."""
        return self.path.parent.name

    @property
    def id(self) -> str:
        """How the test is called."""
        return f"{self.protocol}/{self.path.stem} {self.way}".rstrip()

    def filled(self, host: str, now: int) -> dict[str, Any]:
        """What stands in the file, for a host and a moment in epoch seconds."""
        text = _REPEATED.sub(_repeat, self.path.read_text()).replace("{host}", host)
        text = _TIME.sub(lambda match: str(round((now + float(match[2])) * _UNITS[match[1]])), text)
        found = yaml.load(text, _Loader)
        assert isinstance(found, dict)
        return found

    def requests(self, filled: Mapping[str, Any], now: int) -> list[Sent]:
        """What is sent, one after the other."""
        return [_WAYS[self.protocol][self.way](request, now) for request in filled.get("requests", [filled])]


class _Loader(yaml.SafeLoader):
    """YAML without dates, and without names that stand twice in a mapping."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [self.construct_object(key, deep=deep) for key, _ in node.value]
        assert len(names) == len(set(names)), f"{node.start_mark}: {names}"
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if not tag.endswith("timestamp")]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _repeat(match: re.Match[str]) -> str:
    return "".join(match[1].replace("#", str(number)) for number in range(1, int(match[2]) + 1))


def cases(protocol: str = "*") -> Iterator[Case]:
    """All files of a protocol, in each way in which they can be sent."""
    for path in sorted(FOLDER.glob(f"{protocol}/*.yaml")):
        only = re.search(r"^only: (.*)$", path.read_text(), re.MULTILINE)
        for way in _WAYS[path.parent.name]:
            if only is None or only[1] == way:
                yield Case(path, way)


def number_of(text: Any) -> float:
    """A value as files write it: a number, `NaN`, `+Inf`, `-Inf`, `stale`, or `gap` for what storage has in a gap."""
    bits = _MARKERS.get(text)
    return float(text) if bits is None else struct.unpack("<d", struct.pack("<Q", bits))[0]


def microseconds(now: int, offset: float) -> int:
    """A moment as files write it: in seconds before or after now."""
    return round((now + offset) * 1_000_000)


def _sent(url: str, content: bytes, request: Mapping[str, Any], **headers: str) -> Sent:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    encoding = request.get("encoding", "")
    if encoding:
        content = _PACKERS[encoding](content)
        named["content-encoding"] = encoding
    answer = request["answer"]
    return Sent(
        url + request.get("query", ""),
        content,
        named | request.get("headers", {}),
        answer if isinstance(answer, dict) else {"status": answer},
    )


def _text_of(request: Mapping[str, Any]) -> bytes:
    """A body that is a text; one with `charset: latin-1` has a byte for each of its characters."""
    return str(request["body"]).encode(request.get("charset", "utf-8"))


def _json_of(request: Mapping[str, Any]) -> bytes:
    """A body that is JSON, in the spelling of most senders; a text is sent as it stands."""
    if isinstance(request["body"], str):
        return _text_of(request)
    return json.dumps(request["body"], separators=(",", ":"), ensure_ascii=False).encode()


def _samples_of(series: Mapping[str, Any], now: int) -> list[bytes]:
    """Samples at moments before or after now, and those at milliseconds since 1970."""
    moments = [(microseconds(now, offset) // 1000, value) for offset, value in series.get("samples", ())]
    return [sample(at, number_of(value)) for at, value in [*moments, *series.get("at_ms", ())]]


def _pairs_of(labels: Any) -> Sequence[Sequence[str]]:
    return list(labels.items()) if isinstance(labels, dict) else labels


def _octets(text: str) -> bytes:
    """A text in UTF-8, where `\\udcXX` is the byte XX."""
    return text.encode(errors="surrogateescape")


def _write_1(request: Mapping[str, Any], now: int) -> Sent:
    content = b"".join(
        field(
            1,
            b"".join(
                field(1, field(1, _octets(name)) + field(2, _octets(value)))
                for name, value in _pairs_of(one["labels"])
            )
            + b"".join(field(2, item) for item in _samples_of(one, now))
            + field(3, b"") * one.get("exemplars", 0)
            + field(4, b"") * one.get("histograms", 0),
        )
        for one in request.get("series", ())
    )
    content += b"".join(
        metadata(item["name"], _KINDS.index(item["type"]), item.get("help", ""), item.get("unit", ""))
        for item in request.get("metadata", ())
    )
    return _written(content, request, PROTOBUF)


def _write_2(request: Mapping[str, Any], now: int) -> Sent:
    symbols, content = Symbols(), b""
    meanings = {item["name"]: item for item in request.get("metadata", ())}
    for one in request.get("series", ()):
        pairs = _pairs_of(one["labels"])
        part = field(1, b"".join(symbols.ref(text) for pair in pairs for text in pair))
        part += b"".join(field(2, item) for item in _samples_of(one, now))
        part += field(3, b"") * one.get("histograms", 0) + field(4, b"") * one.get("exemplars", 0)
        meaning = meanings.get(dict(pairs).get("__name__", ""))
        if meaning:
            refs = (
                b"\x18"
                + symbols.ref(meaning.get("help", ""))
                + b"\x20"
                + symbols.ref(meaning.get("unit", ""))
            )
            part += field(5, b"\x08" + varint(_KINDS.index(meaning["type"])) + refs)
        content += field(5, part)
    return _written(b"".join(field(4, _octets(text)) for text in symbols) + content, request, V2)


def _written(content: bytes, request: Mapping[str, Any], kind: str) -> Sent:
    if "hex" in request:
        content = bytes.fromhex(request["hex"])
    return _sent(WRITE, content, {"encoding": "snappy", **request}, content_type=kind)


def _lines(door: str) -> Any:
    return lambda request, now: _sent(
        door, _text_of(request), request, content_type="text/plain; charset=utf-8"
    )


def _otlp_json(request: Mapping[str, Any], now: int) -> Sent:
    return _sent("/otlp/v1/metrics", _json_of(request), request, content_type="application/json")


def _otlp_protobuf(request: Mapping[str, Any], now: int) -> Sent:
    message = ExportMetricsServiceRequest()
    json_format.ParseDict(request["body"], message, ignore_unknown_fields=True)
    return _sent("/otlp/v1/metrics", message.SerializeToString(), request, content_type=PROTOBUF)


def _collectd(request: Mapping[str, Any], now: int) -> Sent:
    return _sent("/collectd", _json_of(request), request, content_type="application/json")


def _native(request: Mapping[str, Any], now: int) -> Sent:
    return _sent("/api/v1/telemetry", _json_of(request), request, content_type="application/json")


_WAYS: dict[str, dict[str, Any]] = {
    "prometheus": {"version 1": _write_1, "version 2": _write_2},
    "influx": {"version 1": _lines("/influx/write"), "version 2": _lines("/influx/api/v2/write")},
    "otlp": {"json": _otlp_json, "protobuf": _otlp_protobuf},
    "collectd": {"json": _collectd},
    "native": {"json": _native},
}
