"""Who may call the doors of the archive."""

from typing import Annotated

from fastapi import Depends, Request

from fleetkeeper.database.engine import Database
from fleetkeeper.identity.access import require
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.settings import Settings

TelemetryDelete = Annotated[Actor, Depends(require(Permission.DEVICES_DELETE))]


def app_database(request: Request) -> Database:
    """The application's database, for what has connections of its own."""
    database: Database = request.app.state.database
    return database


def app_settings(request: Request) -> Settings:
    """The operator's settings."""
    settings: Settings = request.app.state.settings
    return settings


AppDatabase = Annotated[Database, Depends(app_database)]
AppSettings = Annotated[Settings, Depends(app_settings)]
