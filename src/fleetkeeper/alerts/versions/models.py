"""What each version of an alert rule was."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, String, text
from sqlalchemy.orm import Mapped, mapped_column

from fleetkeeper.database.base import Base


class AlertRuleVersion(Base):
    """A rule as it was: `content` has what people enter of it. A trigger writes the newest hundred of each rule."""

    __tablename__ = "alert_rule_versions"

    rule_id: Mapped[UUID] = mapped_column(ForeignKey("alert_rules.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    actor: Mapped[str] = mapped_column(String(255), server_default="")
    content: Mapped[dict[str, Any]]
