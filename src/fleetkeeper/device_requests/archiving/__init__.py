"""Requests that ended long ago: in Parquet files, and still findable."""
