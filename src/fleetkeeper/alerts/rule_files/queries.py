"""The SQL of rules of files."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, delete, func, select, text, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.models import AlertRule
from fleetkeeper.alerts.recording.models import RecordingRule
from fleetkeeper.alerts.rule_files.models import AlertRuleFile


async def hold_file(session: AsyncSession, file: str) -> None:
    """Let nobody else import the same file until the transaction ends."""
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('alerts.rule_files/' || :file, 0))"),
        {"file": file},
    )


async def rules_of_file(
    session: AsyncSession, visible: Select[Any], file: str
) -> list[AlertRule | RecordingRule]:
    """The rules of a file: the alert rules among those that are visible, and all recording rules."""
    prefix = f"{file}/"
    alerting = visible.where(
        AlertRule.origin == "file", AlertRule.origin_key.startswith(prefix, autoescape=True)
    )
    recording = select(RecordingRule).where(RecordingRule.origin_key.startswith(prefix, autoescape=True))
    fresh = {"populate_existing": True}
    found = [
        *await session.scalars(alerting, execution_options=fresh),
        *await session.scalars(recording, execution_options=fresh),
    ]
    return sorted(found, key=lambda one: (one.created_at, one.id))


async def promql_rules_of_people(
    session: AsyncSession, visible: Select[Any], most: int
) -> Sequence[AlertRule]:
    """Rules that people made, that are evaluated, and that are expressions."""
    statement = visible.where(
        AlertRule.origin != "file", AlertRule.kind == "promql", AlertRule.enabled
    ).order_by(AlertRule.interval_seconds, AlertRule.name, AlertRule.id)
    return (await session.scalars(statement.limit(most))).all()


async def files_of_folder(session: AsyncSession) -> Sequence[AlertRuleFile]:
    """The files of the server's folder."""
    return (await session.scalars(select(AlertRuleFile).order_by(AlertRuleFile.name))).all()


async def is_of_folder(session: AsyncSession, file: str) -> bool:
    """Whether the server's folder brought the rules of a file."""
    brought = select(AlertRuleFile.name).where(
        AlertRuleFile.name == file, AlertRuleFile.synced_at.is_not(None)
    )
    return await session.scalar(brought) is not None


async def forget_files(session: AsyncSession, *names: str) -> None:
    """Rules of these files, or of all without names, are no longer the folder's."""
    statement = delete(AlertRuleFile)
    await session.execute(statement.where(AlertRuleFile.name.in_(names)) if names else statement)


async def count_rules(session: AsyncSession) -> dict[str, int]:
    """How many rules are stored of each file."""
    keys = union_all(
        select(AlertRule.origin_key).where(AlertRule.origin == "file"), select(RecordingRule.origin_key)
    ).subquery()
    file = func.split_part(keys.c.origin_key, "/", 1)
    found = await session.execute(select(file, func.count()).group_by(file))
    return {row[0]: row[1] for row in found}
