"""Which tables of the database belong to the models, and which were made by other means."""

import re

_OTHERS = re.compile(
    r"(frames|process_snapshots)_\d{4}_\d{2}_\d{2}"  # partitions, made as days come
    r"|alert_(logs|events)_\d{8}"  # the same, by week
    r"|chunks_\d{4}_\d{2}"
    r"|audit_log_(\d{4}_\d{2}|default)"  # the same, by month
    r"|procrastinate_\w+"  # made by procrastinate's own schema
    r"|snapshot_fields"  # a constant that belongs to the view `metrics_snapshot`
)


def is_of_models(name: str | None) -> bool:
    """Whether a table is described by a model."""
    return name is None or _OTHERS.fullmatch(name) is None
