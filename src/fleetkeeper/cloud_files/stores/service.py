"""Making, changing and checking stores."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.cloud_files.models import CloudStore
from fleetkeeper.cloud_files.providers.opening import Outside, open_store, seal_secret
from fleetkeeper.cloud_files.providers.protocol import StoreError
from fleetkeeper.cloud_files.stores.checking import kept_values, moved_fields, needs_new_secret, problems_of
from fleetkeeper.cloud_files.stores.queries import LISTING, has_files
from fleetkeeper.cloud_files.stores.schemas import (
    CloudStorePage,
    CloudStoreRead,
    CloudStoreWrite,
    Provider,
    StoreCheck,
)
from fleetkeeper.database.engine import let_go, settings_of
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.etags import check_version
from fleetkeeper.kit.ids import uuid7
from fleetkeeper.records.service import Records


class CloudStores(Records[CloudStoreWrite, CloudStoreRead]):
    """Stores, whose credentials are sealed."""

    async def create(self, session: AsyncSession, actor: Actor, wanted: CloudStoreWrite) -> CloudStoreRead:
        """Make one. Raises ForbiddenError, ConflictError for a name that is taken, InvalidInputError."""
        self._check_may_write(actor, wanted.department_id)
        problems = problems_of(wanted, has_secret=False)
        if problems:
            raise InvalidInputError("The store was not created.", fields=problems)
        row = CloudStore(id=uuid7(), **kept_values(wanted))
        row.secret_sealed = _sealed(session, row.id, wanted)
        return await self._insert(session, row)

    async def change(
        self,
        session: AsyncSession,
        actor: Actor,
        key: UUID,
        wanted: CloudStoreWrite,
        expected_version: int | None = None,
    ) -> CloudStoreRead:
        """Change one. Raises as making one does, NotFoundError, and PreconditionError for a lost update."""
        row = await self.locked(session, actor, key)
        check_version(self.noun[0], row.version, expected_version)
        must_be_new = row.secret_sealed is not None and needs_new_secret(row, wanted)
        problems = problems_of(wanted, has_secret=row.secret_sealed is not None and not must_be_new)
        if moved_fields(row, wanted) and await has_files(session, key):
            message = "Cannot change while the store has files; create another store"
            problems += [FieldError(name, message) for name in moved_fields(row, wanted)]
        if problems:
            raise InvalidInputError("The store was not changed.", fields=problems)
        read = await super().change(session, actor, key, wanted, expected_version)
        if wanted.secret is None and wanted.provider != Provider.LOCAL:
            return read
        if wanted.secret is None and row.secret_sealed is None:
            return read
        await self._set(session, row, {"secret_sealed": _sealed(session, key, wanted)})
        return await self._read_anew(session, row)

    async def check_connection(self, session: AsyncSession, actor: Actor, key: UUID) -> StoreCheck:
        """Try a store and say how it went. Ends the session's transaction. Raises NotFoundError, ForbiddenError."""
        row = await self.locked(session, actor, key)
        outside = Outside.of(settings_of(session))
        try:
            store = open_store(row, outside)
            await let_go(session)
            return StoreCheck(works=True, detail=await store.check())
        except StoreError as error:
            return StoreCheck(works=False, detail=error.detail)


def _sealed(session: AsyncSession, store_id: UUID, wanted: CloudStoreWrite) -> bytes | None:
    if wanted.secret is None:
        return None
    sealer = Outside.of(settings_of(session)).sealer
    return seal_secret(sealer, store_id, wanted.secret.get_secret_value())


stores = CloudStores(
    model=CloudStore,
    listing=LISTING,
    write_as=CloudStoreWrite,
    read_as=CloudStoreRead,
    page_as=CloudStorePage,
    noun=("cloud store", "cloud stores"),
    page="/cloud-stores/{}",
    read=Permission.REQUESTS_READ,
    write=Permission.REQUESTS_WRITE,
    is_shared=True,
    values=kept_values,
)
