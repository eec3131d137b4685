"""Telemetry summed up by hour, day, week and month (UTC).

Owns the tables `rollups`, `rollup_changes` and `hourly_statistics`, the statistics of a bucket and the sketches that
percentiles come from.
It reads sealed telemetry and does not decide how long anything is kept.
"""
