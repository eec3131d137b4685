"""Settings that the operator gives at start: environment variables `FLEETKEEPER_<GROUP>__<NAME>`, read once.

What administrators change while the product runs is in the `config` room instead.
"""

from functools import cache
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from fleetkeeper.errors import StartupError
from fleetkeeper.settings.database import DatabaseSettings
from fleetkeeper.settings.identity import IdentitySettings
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
        description="The first administrator's password. Without it one is made, printed once and kept in "
        "`admin-password` in the home folder.",
    )
    log_level: str = Field(
        default="info",
        pattern="^(debug|info|warning|error)$",
        description="Least severe level that is logged.",
    )
    log_format: str = Field(
        default="auto",
        pattern="^(auto|text|json)$",
        description="`text` for people, `json` for machines; `auto` is text on a terminal and json elsewhere.",
    )
    database: DatabaseSettings = Field(default_factory=DatabaseSettings, description="The database.")
    identity: IdentitySettings = Field(default_factory=IdentitySettings, description="Sign-in and sessions.")
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
        raise StartupError(f"{name} is wrong: {problem['msg']}.") from None
    settings.home = settings.home.expanduser().absolute()
    return settings
