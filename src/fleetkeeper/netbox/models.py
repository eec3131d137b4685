"""Names that clients register before a device has them."""

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

import fleetkeeper.netbox.words  # noqa: F401 - declares what the log and constraints are called
from fleetkeeper.database.base import Base, Keyed, Timestamped


class NetboxName(Keyed, Timestamped, Base):
    """A manufacturer, device type, role or platform; those that devices have need no row."""

    __tablename__ = "netbox_names"
    __table_args__ = (
        CheckConstraint("kind IN ('manufacturer', 'device_type', 'device_role', 'platform')", name="kind"),
        UniqueConstraint("kind", "number", name="uq_netbox_names_number"),
        UniqueConstraint("kind", "maker", "name", name="uq_netbox_names_name"),
        UniqueConstraint("kind", "maker", "slug", name="uq_netbox_names_slug"),
    )

    kind: Mapped[str] = mapped_column(String(20))
    # Of the kind, the maker and the name; see `numbers`.
    number: Mapped[int] = mapped_column(BigInteger)
    # Whose device type it is.
    maker: Mapped[str] = mapped_column(String(300), server_default="")
    name: Mapped[str] = mapped_column(String(300))
    slug: Mapped[str] = mapped_column(String(100))
    description: Mapped[str] = mapped_column(Text, server_default="")
    attributes: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    version: Mapped[int] = mapped_column(server_default="1")
