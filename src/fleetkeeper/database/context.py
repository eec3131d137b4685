"""What a transaction may see of the fleet, and who acts in it: settings that the database itself goes by."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from uuid import UUID

import msgspec
from psycopg.sql import quote
from sqlalchemy import Connection

WHOLE_FLEET_ROLE = "fleetkeeper_whole_fleet"
# For connections of their own, outside of sessions: what they read and write is told apart by device keys, not people.
WHOLE_FLEET_OPTION = f"-c role={WHOLE_FLEET_ROLE}"
# Only a text without parameters may hold two statements.
_AS_IT_IS = {"no_parameters": True}


@dataclass(frozen=True)
class TransactionContext:
    """Row security and the audit log's "who". Without one a transaction sees no device and acts as nobody."""

    whole_fleet: bool = False
    departments: frozenset[UUID] = frozenset()
    changeable_departments: frozenset[UUID] = frozenset()
    # Where the caller may do anything at all: what tables of other rooms than devices go by.
    acts_everywhere: bool = False
    acting_departments: frozenset[UUID] = frozenset()
    # JSON of `kind`, `name`, `user`, `token`, `session`, `device`, `address`, `agent`, `request`, `reason`.
    audit: str = ""

    def begin(self, connection: Connection, *, plans_once: bool = False) -> None:
        """Begin a transaction of the database with it, in one message: the driver begins none by itself.

        With `plans_once` statements that come again are planned once, whatever their parameters' values.
        """
        role = f"set_config('role', '{WHOLE_FLEET_ROLE}', true), " if self.whole_fleet else ""
        known = {"plan_cache_mode": "force_generic_plan"} if plans_once else {}
        known |= {
            "fleetkeeper.audit": self.audit,
            "fleetkeeper.departments": _listed(self.departments),
            "fleetkeeper.changeable_departments": _listed(self.changeable_departments),
            "fleetkeeper.acting_departments": "*"
            if self.acts_everywhere
            else _listed(self.acting_departments),
        }
        given = ", ".join(f"set_config('{name}', {quote(value)}, true)" for name, value in known.items())
        connection.exec_driver_sql(f"BEGIN; SELECT {role}{given}", execution_options=_AS_IT_IS)

    def of_keeper(self) -> "TransactionContext":
        """The same who for a connection of the audit log's keeper, who may not become another role."""
        return replace(self, whole_fleet=False)


NOBODY = TransactionContext()
# A context, or how to find it once the transaction begins.
ContextSource = TransactionContext | Callable[[], TransactionContext]


def product_context(kind: str, name: str, **more: str | None) -> TransactionContext:
    """The product itself at work: a `job`, a `command`, or a `device` that reports."""
    known = {key: value for key, value in more.items() if value is not None}
    return TransactionContext(
        whole_fleet=True,
        acts_everywhere=True,
        audit=msgspec.json.encode({"kind": kind, "name": name} | known).decode(),
    )


def _listed(departments: Iterable[UUID]) -> str:
    return ",".join(map(str, departments))
