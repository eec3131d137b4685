"""What to put into the configuration of each sender, for the page of senders. Pure."""

from typing import NamedTuple


class Configuration(NamedTuple):
    """A sender's configuration, ready to be pasted but for the token."""

    id: str
    title: str
    text: str
    code: str


_PROMETHEUS = """\
# prometheus.yml
remote_write:
  - url: {server}/prometheus/api/v1/write
    authorization:
      credentials_file: /etc/prometheus/fleetkeeper-token"""
_TELEGRAF = """\
# telegraf.conf
[[outputs.influxdb_v2]]
  urls = ["{server}/influx"]
  token = "$FLEETKEEPER_TOKEN"
  organization = "fleetkeeper"
  bucket = "telemetry"
  content_encoding = "gzip\""""
_COLLECTOR = """\
# OpenTelemetry Collector
exporters:
  otlphttp:
    metrics_endpoint: {server}/otlp/v1/metrics
    headers:
      Authorization: "Bearer ${{env:FLEETKEEPER_TOKEN}}"
processors:
  resourcedetection:
    detectors: [env, system]   # gives host.name
service:
  pipelines:
    metrics:
      receivers: [otlp, hostmetrics]
      processors: [resourcedetection, batch]
      exporters: [otlphttp]"""
_COLLECTD = """\
# collectd.conf
LoadPlugin write_http
<Plugin write_http>
  <Node "fleetkeeper">
    URL "{server}/collectd"
    User "collectd"
    Password "THE TOKEN"
    Format "JSON"
    StoreRates false
  </Node>
</Plugin>"""


def configurations(server: str) -> tuple[Configuration, ...]:
    """For each source, with this server's address."""
    return (
        Configuration(
            "prometheus",
            "Prometheus",
            "The file holds the token alone. Version 3 may also write with protobuf_message: "
            "io.prometheus.write.v2.Request.",
            _PROMETHEUS.format(server=server),
        ),
        Configuration(
            "telegraf",
            "Telegraf",
            "Its outputs.influxdb works too, with the token as password and the same address.",
            _TELEGRAF.format(server=server),
        ),
        Configuration(
            "otel",
            "OpenTelemetry",
            "An SDK without a collector takes the same address and header, and host.name in OTEL_RESOURCE_ATTRIBUTES.",
            _COLLECTOR.format(server=server),
        ),
        Configuration(
            "collectd",
            "collectd",
            "The token is the password of basic authentication.",
            _COLLECTD.format(server=server),
        ),
    )
