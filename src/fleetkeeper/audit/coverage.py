"""Which tables and columns the audit log does not tell of, and why: each room says it beside its models.

A test holds it against the database. What grants, identifies or protects something is told of, as a secret
where it is one. A column may be left out only if it changes by itself; computed columns follow from others.
"""

from collections.abc import Mapping

# By table, with the reason.
UNAUDITED: dict[str, str] = {}
# By table: columns whose changes alone leave no entry.
SKIPPED: dict[str, dict[str, str]] = {}
# Of any table.
USUAL: Mapping[str, str] = {
    "number": "is given once, by the database, to be called by",
    "created_at": "says when the row was written, which its entry says too",
    "updated_at": "says when the row was written, which its entry says too",
    "version": "counts changes, each of which has its entry",
}


def declare_unaudited(table: str, why: str) -> None:
    """Leave a table out of the log. Raises ValueError for one that is left out."""
    if table in UNAUDITED:
        raise ValueError(f"{table} is declared twice")
    UNAUDITED[table] = why


def declare_skipped(table: str, **why: str) -> None:
    """Leave columns of a table out, besides the usual ones. Raises ValueError for a table that is declared."""
    if table in SKIPPED:
        raise ValueError(f"{table} is declared twice")
    SKIPPED[table] = why


# The tables of rooms below this one.
declare_unaudited("alembic_version", "says which migrations ran; only a migration writes it")
declare_unaudited("audit_epochs", "is part of the log, and written as a restored database is first started")
declare_unaudited("audit_log", "is the log")
declare_unaudited("audit_seals", "is part of the log; an entry for each seal would need a seal again")
declare_unaudited("job_runs", "how far jobs are; what they change is audited")
declare_unaudited("procrastinate_events", "the queue; what its jobs change is audited")
declare_unaudited("procrastinate_jobs", "the queue; what its jobs change is audited")
declare_unaudited("procrastinate_periodic_defers", "the queue; what its jobs change is audited")
declare_unaudited("procrastinate_workers", "the queue; what its jobs change is audited")
declare_unaudited("status_history", "is a history itself")
