"""The table of keys."""

from datetime import datetime

from sqlalchemy import LargeBinary, SmallInteger, func
from sqlalchemy.orm import Mapped, mapped_column

import fleetkeeper.operations.words  # noqa: F401 - declares what the log leaves out
from fleetkeeper.database.base import Base


class IdempotencyKey(Base):
    """A request that was carried out, by its caller, address and key, with its answer once that is known."""

    __tablename__ = "idempotency_keys"

    # SHA-256 of caller, path and key; and of what the request asked for.
    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    request_digest: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
    status: Mapped[int | None] = mapped_column(SmallInteger)
    # Headers and body, sealed: the answer may hold a secret that is shown once.
    answer: Mapped[bytes | None] = mapped_column(LargeBinary)
