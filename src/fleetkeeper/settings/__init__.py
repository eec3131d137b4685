"""Settings that the operator gives at start: environment variables `FLEETKEEPER_<GROUP>__<NAME>`, read once.

What administrators change while the product runs is in the `config` room instead.
"""

import json
import os
from functools import cache
from pathlib import Path

from pydantic import BaseModel, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from fleetkeeper.errors import StartupError
from fleetkeeper.kit.error_words import error_words
from fleetkeeper.settings.alerts import AlertSettings
from fleetkeeper.settings.archive import ArchiveSettings
from fleetkeeper.settings.attachments import AttachmentSettings
from fleetkeeper.settings.cloud_files import CloudFileSettings
from fleetkeeper.settings.database import DatabaseSettings
from fleetkeeper.settings.identity import IdentitySettings
from fleetkeeper.settings.outgoing import OutgoingSettings
from fleetkeeper.settings.promql import PromqlSettings
from fleetkeeper.settings.telemetry import TelemetrySettings
from fleetkeeper.settings.web import WebSettings


class Settings(BaseSettings):
    """All settings, grouped."""

    model_config = SettingsConfigDict(env_prefix="FLEETKEEPER_", env_nested_delimiter="__", extra="ignore")

    home: Path = Field(
        default=Path(".fleetkeeper"), description="Folder that holds all state: database, keys, logs."
    )
    admin_password: SecretStr | None = Field(
        default=None,
        description="The first administrator's password. If empty, one is generated, printed once and kept in "
        "`admin-password` in the home folder.",
    )
    log_level: str = Field(
        default="info",
        pattern="^(debug|info|warning|error)$",
        description="Lowest level that is logged: `debug`, `info`, `warning` or `error`.",
    )
    log_format: str = Field(
        default="auto",
        pattern="^(auto|text|json)$",
        description="`text` for people, `json` for machines; `auto` is `text` on a terminal and `json` elsewhere.",
    )
    alerts: AlertSettings = Field(default_factory=AlertSettings, description="Alerts.")
    archive: ArchiveSettings = Field(default_factory=ArchiveSettings, description="The telemetry archive.")
    attachments: AttachmentSettings = Field(
        default_factory=AttachmentSettings, description="Files that people attach to objects."
    )
    cloud_files: CloudFileSettings = Field(
        default_factory=CloudFileSettings, description="Files of device requests."
    )
    database: DatabaseSettings = Field(default_factory=DatabaseSettings, description="The database.")
    identity: IdentitySettings = Field(default_factory=IdentitySettings, description="Sign-in and sessions.")
    outgoing: OutgoingSettings = Field(
        default_factory=OutgoingSettings, description="Calls to addresses that people enter."
    )
    promql: PromqlSettings = Field(default_factory=PromqlSettings, description="PromQL.")
    telemetry: TelemetrySettings = Field(default_factory=TelemetrySettings, description="Ingest limits.")
    web: WebSettings = Field(default_factory=WebSettings, description="The web server.")


@cache
def get_settings() -> Settings:
    """Read the settings from the environment, once per process.

    Raises StartupError with the variable's name when one is wrong.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        problem = error.errors()[0]
        name = "FLEETKEEPER_" + "__".join(str(part).upper() for part in problem["loc"])
        raise StartupError(f"{name} is wrong: {error_words(problem)}.") from None
    except SettingsError:
        raise StartupError(f'{_not_json()} is wrong: it takes JSON, for a list as in ["a", "b"].') from None
    settings.home = settings.home.expanduser().absolute()
    return settings


def _not_json() -> str:
    """The variable that takes JSON and holds something else; the library names only its group."""
    given = {name.upper(): value for name, value in os.environ.items()}
    for group, field in Settings.model_fields.items():
        kind = field.annotation
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            continue
        lists = [
            f"{group}__{name}" for name, item in kind.model_fields.items() if item.annotation == list[str]
        ]
        for variable in (f"FLEETKEEPER_{name.upper()}" for name in (group, *lists)):
            try:
                json.loads(given.get(variable, "null"))
            except ValueError:
                return variable
    return "A setting"
