"""Measurements: metrics, channels, layouts, frames, the latest frame of each device, processes and login sessions.

Owns the ingest door, the hot store and the reading path. Does not own devices or enrollment. Uses `devices`,
`identity`, `config`. Telemetry tables have `device_id` in every key and no foreign key to `devices`, so that they
can be distributed.
"""
