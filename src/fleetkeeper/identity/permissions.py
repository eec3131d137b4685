"""Every permission, alphabetically, as `resource:action`, and which built-in role has which."""

from enum import StrEnum


class Permission(StrEnum):
    """What a route may demand."""

    CONFIG_READ = "config:read"
    CONFIG_WRITE = "config:write"
    DEVICES_READ = "devices:read"
    DEVICES_WRITE = "devices:write"
    ENROLLMENT_READ = "enrollment:read"
    ENROLLMENT_WRITE = "enrollment:write"
    OPERATIONS_READ = "operations:read"
    TELEMETRY_READ = "telemetry:read"
    TOKENS_WRITE = "tokens:write"
    USERS_READ = "users:read"
    USERS_WRITE = "users:write"


class Role(StrEnum):
    """The built-in roles."""

    ADMIN = "admin"
    VIEWER = "viewer"


ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset(Permission),
    Role.VIEWER: frozenset({Permission.DEVICES_READ, Permission.TELEMETRY_READ}),
}
