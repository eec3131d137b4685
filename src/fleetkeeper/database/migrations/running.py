"""Migrations that are files of SQL statements."""

from pathlib import Path

from alembic import op

SQL = Path(__file__).parent / "sql"


def run_sql(revision: str, *, down: bool = False) -> None:
    """Run a revision's file as it stands: `sql/<revision>_<name>.sql`, or the one that takes it back, `…_down.sql`."""
    files = [path for path in SQL.glob(f"{revision}_*.sql") if path.stem.endswith("_down") is down]
    if len(files) != 1:
        raise ValueError(f"revision {revision} has {len(files)} files of statements in {SQL}")
    # The driver would read a percent sign as a parameter.
    op.get_bind().exec_driver_sql(files[0].read_text().replace("%", "%%"))
