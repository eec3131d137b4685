"""What common senders write: Prometheus remote_write 1.0 and 2.0, Influx line protocol, OTLP/HTTP, collectd's JSON.

Owns the parsers, the rules by which a sample finds its device, and the doors. Stores through `telemetry.door`; does
not own channels or devices. Uses `telemetry`, `devices`, `identity`.
"""
