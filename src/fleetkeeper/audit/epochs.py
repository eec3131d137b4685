"""The beginning of a new epoch of the log, when the database was restored into another PostgreSQL."""

import psycopg


def begin_epoch(admin_url: str) -> bool:
    """Let transactions count on from above those of the log; returns False where nothing was to be done.

    It is called as the product starts, before anything is written. Needs the administrator's URL.
    """
    with psycopg.connect(admin_url) as connection:
        row = connection.execute("SELECT begin_audit_epoch()").fetchone()
    return bool(row and row[0])
