"""What each provider needs of a store, and what may not change once it has files. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from fleetkeeper.cloud_files.providers.google_drive import KeyFileError, account_in
from fleetkeeper.cloud_files.stores.schemas import CloudStoreWrite, Provider
from fleetkeeper.errors import FieldError

# What a provider uses, besides the credential; those with True must be there.
_FIELDS: Mapping[Provider, Mapping[str, bool]] = {
    Provider.LOCAL: {"folder": False},
    Provider.S3: {"folder": False, "bucket": True, "endpoint": False, "region": False, "client_id": True},
    Provider.SHAREPOINT: {
        "folder": False,
        "drive_id": True,
        "tenant_id": True,
        "client_id": True,
        "api_url": False,
        "login_url": False,
    },
    Provider.GOOGLE_DRIVE: {"folder": True, "api_url": False, "login_url": False},
}
_ALL = frozenset(name for fields in _FIELDS.values() for name in fields)
# Where files that are there are looked for.
FIXED = ("provider", "bucket", "endpoint", "drive_id", "api_url")
# Where the credential is sent to, and whose it is.
_TOLD = ("provider", "endpoint", "api_url", "login_url", "tenant_id", "client_id", "region")


def kept_values(wanted: CloudStoreWrite) -> dict[str, Any]:
    """What is stored of what was entered: what the provider does not use is empty."""
    used = _FIELDS[wanted.provider]
    values = wanted.model_dump(exclude={"secret"})
    return {name: "" if name in _ALL and name not in used else value for name, value in values.items()}


def problems_of(wanted: CloudStoreWrite, *, has_secret: bool) -> list[FieldError]:
    """What is missing or wrong for the provider."""
    values = kept_values(wanted)
    found = [
        FieldError(name, f"Required for {wanted.provider.label}")
        for name, is_required in _FIELDS[wanted.provider].items()
        if is_required and not values[name]
    ]
    if any(part.strip(" .") != part for part in values["folder"].split("/") if part):
        found.append(FieldError("folder", "Names must not begin or end with a space or a dot"))
    if wanted.provider == Provider.GOOGLE_DRIVE and not _is_drive_id(values["folder"]):
        found.append(FieldError("folder", "Must be the ID of a folder, which its address ends with"))
    if wanted.provider == Provider.S3 and not (values["endpoint"] or values["region"]):
        found.append(FieldError("region", "Required for Amazon S3; elsewhere enter an endpoint"))
    return [*found, *_secret_problems(wanted, has_secret=has_secret)]


def needs_new_secret(present: Any, wanted: CloudStoreWrite) -> bool:
    """Whether the credential must be entered again.

    Otherwise whoever may change a store would have it sent to a server of their own.
    """
    values = kept_values(wanted)
    return any(getattr(present, name) != values[name] for name in _TOLD)


def moved_fields(present: Any, wanted: CloudStoreWrite) -> Sequence[str]:
    """The fields by which files that are there would not be found again."""
    values = kept_values(wanted)
    return [name for name in FIXED if getattr(present, name) != values[name]]


def _secret_problems(wanted: CloudStoreWrite, *, has_secret: bool) -> list[FieldError]:
    if wanted.provider == Provider.LOCAL:
        return [FieldError("secret", "A local folder has no credential")] if wanted.secret else []
    if wanted.secret is None:
        return [] if has_secret else [FieldError("secret", f"Required for {wanted.provider.label}")]
    secret = wanted.secret.get_secret_value()
    if wanted.provider == Provider.GOOGLE_DRIVE:
        try:
            account_in(secret)
        except KeyFileError as error:
            return [FieldError("secret", f"Must {error}")]
    elif not secret.isprintable():
        return [FieldError("secret", "Must not contain control characters")]
    return []


def _is_drive_id(folder: str) -> bool:
    return not folder or (
        len(folder) >= 5 and folder.replace("-", "").replace("_", "").isalnum() and folder.isascii()
    )
