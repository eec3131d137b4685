"""The tables of senders."""

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from fleetkeeper.database.base import Base, Keyed, Timestamped


class SenderRule(Keyed, Timestamped, Base):
    """Which labels of a sample name its device, and which part of their value; rules are tried by `position`."""

    __tablename__ = "sender_rules"
    __table_args__ = (
        CheckConstraint("protocol IN ('any', 'prometheus', 'influx', 'otlp', 'collectd')", name="protocol"),
    )

    position: Mapped[int]
    protocol: Mapped[str] = mapped_column(String(20))
    labels: Mapped[list[str]] = mapped_column(ARRAY(Text))
    pattern: Mapped[str] = mapped_column(String(500), server_default="")
    description: Mapped[str] = mapped_column(String(500), server_default="")
    enabled: Mapped[bool] = mapped_column(server_default="true")


class SenderMapping(Base):
    """One row that counts changes of rules, and of which claim of a host name counts."""

    __tablename__ = "sender_mapping"
    __table_args__ = (CheckConstraint("id", name="one_row"),)

    id: Mapped[bool] = mapped_column(primary_key=True, server_default="true")
    version: Mapped[int] = mapped_column(BigInteger)
