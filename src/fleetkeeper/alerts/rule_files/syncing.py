"""Keeps the rules of files in step with a folder of the server."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import structlog

from fleetkeeper.alerts.rule_files import queries
from fleetkeeper.alerts.rule_files.contents import RuleFile, RuleFileError
from fleetkeeper.alerts.rule_files.folder import FolderFile, read_folder
from fleetkeeper.alerts.rule_files.models import MOST_OF_ERROR, AlertRuleFile
from fleetkeeper.alerts.rule_files.reading import read
from fleetkeeper.alerts.rule_files.schemas import RuleFileImport, SyncedFile
from fleetkeeper.alerts.rule_files.service import import_file
from fleetkeeper.database.context import TransactionContext
from fleetkeeper.database.engine import Database
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.clock import utc_now

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class FolderSync:
    """One comparison of the folder with what is stored. Each file has a transaction of its own."""

    database: Database
    context: TransactionContext
    actor: Actor
    # Whether files are compared, too, that are as they were when they were imported.
    is_complete: bool = False
    is_dry_run: bool = False

    async def sync(self, folder: Path) -> list[SyncedFile]:
        """Import what differs, and remove what is gone. Raises InvalidInputError for a folder that cannot be read."""
        files = await asyncio.to_thread(read_folder, folder)
        async with self.database.session(self.context) as session:
            known = {one.name: one for one in await queries.files_of_folder(session)}
        results = [
            await self._sync_file(file, known.get(file.name))
            for file in files
            if self._differs(file, known.get(file.name))
        ]
        gone = sorted(known.keys() - {file.name for file in files})
        return results + [await self._remove(known[name]) for name in gone]

    def _differs(self, file: FolderFile, known: AlertRuleFile | None) -> bool:
        # What had an error may be right for a newer version of the product.
        return self.is_complete or known is None or bool(known.error) or known.sha256 != file.sha256

    async def _sync_file(self, file: FolderFile, known: AlertRuleFile | None) -> SyncedFile:
        if file.error:
            return await self._keep_error(file, known, file.error)
        try:
            done = await self._import(file, await asyncio.to_thread(read, file.text))
        except RuleFileError as error:
            return await self._keep_error(file, known, str(error))
        return SyncedFile(**done.model_dump())

    async def _import(self, file: FolderFile, contents: RuleFile) -> RuleFileImport:
        async with self.database.session(self.context) as session:
            done = await import_file(
                session, self.actor, file.name, contents, is_dry_run=self.is_dry_run, is_of_folder=True
            )
            if not self.is_dry_run:
                await session.merge(
                    AlertRuleFile(name=file.name, sha256=file.sha256, synced_at=utc_now(), error="")
                )
        return done

    async def _keep_error(self, file: FolderFile, known: AlertRuleFile | None, error: str) -> SyncedFile:
        error = error.replace("\x00", "")[:MOST_OF_ERROR]
        is_new = known is None or known.error != error
        if is_new and not self.is_dry_run:
            log.warning("a rule file was not imported", file=file.name, error=error.splitlines()[0])
            async with self.database.session(self.context) as session:
                await queries.hold_file(session, file.name)
                await session.merge(AlertRuleFile(name=file.name, error=error))
        return SyncedFile(file=file.name, dry_run=self.is_dry_run, error=error)

    async def _remove(self, known: AlertRuleFile) -> SyncedFile:
        done = RuleFileImport(file=known.name, dry_run=self.is_dry_run)
        async with self.database.session(self.context) as session:
            if known.synced_at is not None:
                done = await import_file(
                    session, self.actor, known.name, RuleFile(), is_dry_run=self.is_dry_run, is_of_folder=True
                )
            if not self.is_dry_run:
                await queries.forget_files(session, known.name)
        return SyncedFile(**done.model_dump())
