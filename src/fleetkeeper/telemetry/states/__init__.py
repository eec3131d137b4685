"""States: texts and truth values that a device reports, kept as they change.

Owns the table `states`. Numbers are frames; what channels are called is the telemetry room's.
"""
