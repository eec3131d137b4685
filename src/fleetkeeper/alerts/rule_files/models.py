"""The rule files of the server's folder."""

from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from fleetkeeper.database.base import Base

MOST_OF_ERROR = 4000


class AlertRuleFile(Base):
    """A file of the folder. Files that people import have no row."""

    __tablename__ = "alert_rule_files"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    # What was imported last, and when its rules were last made the same: they are the folder's from then on.
    sha256: Mapped[bytes | None] = mapped_column(LargeBinary)
    synced_at: Mapped[datetime | None]
    # Why the file, as it is now, is not what is stored.
    error: Mapped[str] = mapped_column(String(MOST_OF_ERROR), server_default="")
