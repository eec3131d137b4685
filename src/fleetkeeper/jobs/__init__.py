"""Jobs are rows in PostgreSQL (procrastinate), enqueued in the caller's transaction.

Owns the queue and its schedule; the work itself stands in each room's `jobs.py`. HTTP doors are in `operations`.
"""
