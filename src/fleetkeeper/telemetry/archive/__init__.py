"""Old telemetry: what is kept for how long, and where.

Owns the policies, the Parquet files that old chunks become, the runs that apply the policies, and the deletion of a
device's data in every tier. It does not seal frames, nor sum them up.
"""
