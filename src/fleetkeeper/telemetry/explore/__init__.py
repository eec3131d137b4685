"""Questions over the whole fleet: which group, which aggregate, which steps of time, compared with what.

Owns no tables. Reads rollups, chunks and frames through their own rooms, and asks `selection` for series.
"""
