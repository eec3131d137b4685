"""Who may call the doors of other people's sessions."""

from typing import Annotated

from fastapi import Depends

from fleetkeeper.identity.access import require
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

SessionsWrite = Annotated[Actor, Depends(require(Permission.SESSIONS_WRITE))]
