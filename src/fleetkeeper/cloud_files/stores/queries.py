"""The SQL of stores."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.cloud_files.models import CloudFileRef, CloudStore
from fleetkeeper.cloud_files.stores.schemas import Provider
from fleetkeeper.kit.listing import Field, Listing

LISTING = Listing(
    fields={
        "id": Field(CloudStore.id.expression, UUID, sortable=False),
        "name": Field(CloudStore.name.expression, str),
        "provider": Field(CloudStore.provider.expression, str, choices=tuple(Provider)),
        "is_active": Field(CloudStore.is_active.expression, bool),
        "department_id": Field(CloudStore.department_id.expression, UUID, sortable=False),
        "created_at": Field(CloudStore.created_at.expression, datetime),
    },
    search=(CloudStore.name.expression,),
    key=CloudStore.id.expression,
    default_ordering="name",
)


async def has_files(session: AsyncSession, store_id: UUID) -> bool:
    """Whether a store has files that the caller sees."""
    return bool(await session.scalar(select(exists().where(CloudFileRef.store_id == store_id))))
