"""Who may call the doors of the archive."""

from typing import Annotated

from fastapi import Depends

from fleetkeeper.identity.access import require
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

TelemetryDelete = Annotated[Actor, Depends(require(Permission.DEVICES_DELETE))]
