"""A request that must be carried out once claims its key in the very transaction that does its work."""

from dataclasses import dataclass, field

from psycopg.errors import UniqueViolation
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from fleetkeeper.errors import ConflictError

# Where a request's state has its claim.
CLAIM = "idempotency_claim"
_INSERT = "INSERT INTO idempotency_keys (digest, request_digest) VALUES (%s, %s)"


class ClaimedError(ConflictError):
    """The key is another request's, which has been carried out in the meantime."""


@dataclass
class Claim:
    """A key, and the request that it came with, both as digests.

    The claim is there exactly when the work is: a rollback undoes both, and whoever comes at the same time waits.
    """

    digest: bytes
    request_digest: bytes
    is_made: bool = field(default=False, init=False)
    is_lost: bool = field(default=False, init=False)

    def make(self, connection: Connection) -> None:
        """Claim the key at the beginning of the request's transaction. Raises ClaimedError."""
        if self.is_made:
            return
        try:
            connection.exec_driver_sql(_INSERT, (self.digest, self.request_digest))
        except IntegrityError as error:
            if isinstance(error.orig, UniqueViolation):
                self.is_lost = True
                raise ClaimedError("Another request with this Idempotency-Key was carried out.") from None
            raise
        self.is_made = True
