"""What a transaction may see of the fleet, and who acts in it: settings that the database itself goes by."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

import msgspec
from sqlalchemy import Connection

WHOLE_FLEET_ROLE = "fleetkeeper_whole_fleet"
# For connections of their own, outside of sessions: what they read and write is told apart by device keys, not people.
WHOLE_FLEET_OPTION = f"-c role={WHOLE_FLEET_ROLE}"


@dataclass(frozen=True)
class TransactionContext:
    """Row security and the audit log's "who". Without one a transaction sees no device and acts as nobody."""

    whole_fleet: bool = False
    departments: frozenset[UUID] = frozenset()
    changeable_departments: frozenset[UUID] = frozenset()
    # JSON of `kind`, `name`, `user`, `token`, `session`, `device`, `address`, `agent`, `request`, `reason`.
    audit: str = ""

    def apply(self, connection: Connection) -> None:
        """Set it for the transaction that has just begun."""
        role = "set_config('role', %(role)s, true), " if self.whole_fleet else ""
        connection.exec_driver_sql(
            f"SELECT {role}set_config('fleetkeeper.audit', %(audit)s, true), "
            "set_config('fleetkeeper.departments', %(departments)s, true), "
            "set_config('fleetkeeper.changeable_departments', %(changeable)s, true)",
            {
                "role": WHOLE_FLEET_ROLE,
                "audit": self.audit,
                "departments": _listed(self.departments),
                "changeable": _listed(self.changeable_departments),
            },
        )


NOBODY = TransactionContext()
# A context, or how to find it once the transaction begins.
ContextSource = TransactionContext | Callable[[], TransactionContext]


def product_context(kind: str, name: str, **more: str | None) -> TransactionContext:
    """The product itself at work: a `job`, a `command`, or a `device` that reports."""
    known = {key: value for key, value in more.items() if value is not None}
    return TransactionContext(
        whole_fleet=True, audit=msgspec.json.encode({"kind": kind, "name": name} | known).decode()
    )


def _listed(departments: Iterable[UUID]) -> str:
    return ",".join(map(str, departments))
