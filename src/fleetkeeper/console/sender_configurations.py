"""What to put into the configuration of each sender, for the page of senders. Pure."""

from typing import NamedTuple


class Configuration(NamedTuple):
    """A sender's configuration, ready to be pasted."""

    id: str
    title: str
    text: str
    code: str


_PROMETHEUS = """\
# prometheus.yml
remote_write:
  - url: {server}/prometheus/api/v1/write
    authorization:
      {credentials}"""
_TELEGRAF = """\
# telegraf.conf
[[outputs.influxdb_v2]]
  urls = ["{server}/influx"]
  token = "{token}"
  organization = "fleetkeeper"
  bucket = "telemetry"
  content_encoding = "gzip\""""
_COLLECTOR = """\
# OpenTelemetry Collector
exporters:
  otlphttp:
    metrics_endpoint: {server}/otlp/v1/metrics
    headers:
      Authorization: "Bearer {token}"
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
    Password "{token}"
    Format "JSON"
    StoreRates false
  </Node>
</Plugin>"""


def configurations(server: str, token: str = "") -> tuple[Configuration, ...]:
    """For each source, with this server's address; without a token they say where to put it."""
    credentials = f"credentials: {token}" if token else "credentials_file: /etc/prometheus/fleetkeeper-token"
    return (
        Configuration(
            "prometheus",
            "Prometheus",
            ("" if token else "The file contains only the token. ")
            + "Version 3 can also use protobuf_message: io.prometheus.write.v2.Request.",
            _PROMETHEUS.format(server=server, credentials=credentials),
        ),
        Configuration(
            "telegraf",
            "Telegraf",
            "outputs.influxdb also works, with the same address and the token as the password.",
            _TELEGRAF.format(server=server, token=token or "$FLEETKEEPER_TOKEN"),
        ),
        Configuration(
            "otel",
            "OpenTelemetry",
            "Without a collector, set this address and header in the SDK, and host.name in OTEL_RESOURCE_ATTRIBUTES.",
            _COLLECTOR.format(server=server, token=token or "${env:FLEETKEEPER_TOKEN}"),
        ),
        Configuration(
            "collectd",
            "collectd",
            "The token is the password of basic authentication.",
            _COLLECTD.format(server=server, token=token or "THE TOKEN"),
        ),
    )
