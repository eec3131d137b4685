"""What tables take, indexes and all."""

import psycopg


def partitions_bytes(connection: psycopg.Connection, table: str) -> int:
    """Bytes of all partitions of a table."""
    row = connection.execute(
        "SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits WHERE inhparent = %s::regclass",
        (table,),
    ).fetchone()
    return int(row[0] or 0) if row else 0


def table_bytes(connection: psycopg.Connection, table: str) -> int:
    """Bytes of a table."""
    row = connection.execute("SELECT pg_total_relation_size(%s::regclass)", (table,)).fetchone()
    return int(row[0]) if row else 0
