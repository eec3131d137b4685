"""What telemetry costs and whether it keeps up: bytes by tier, group and device, rates, lags, numbers of channels.

Only measures; it neither seals nor removes. Uses the tables of telemetry, its chunks, rollups and archive.
"""
