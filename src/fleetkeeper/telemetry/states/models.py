"""The table of states."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from fleetkeeper.database.base import Base


class State(Base):
    """A channel of a device has had this value since `ts`; the next row of the channel ends it.

    A truth value is kept as `true` or `false`.
    """

    __tablename__ = "states"

    device_id: Mapped[UUID] = mapped_column(primary_key=True)
    channel_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    ts: Mapped[datetime] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(Text)
    is_boolean: Mapped[bool]
