"""A store as its row describes it, with its credential in clear."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from fleetkeeper.cloud_files.models import CloudStore
from fleetkeeper.cloud_files.providers import google_drive, sharepoint
from fleetkeeper.cloud_files.providers.google_drive import GoogleDriveStore, KeyFileError, account_in
from fleetkeeper.cloud_files.providers.local import LocalStore
from fleetkeeper.cloud_files.providers.protocol import Store, StoreError
from fleetkeeper.cloud_files.providers.s3 import Bucket, S3Store
from fleetkeeper.cloud_files.providers.sharepoint import Library, SharePointStore
from fleetkeeper.cloud_files.spool import local_folder, root_of
from fleetkeeper.kit.outgoing import Reach
from fleetkeeper.kit.sealing import Sealer, SealingError, installation_key
from fleetkeeper.settings import Settings


@dataclass(frozen=True)
class Outside:
    """What opening a store takes: the key that opens secrets, what may be called, and the folder of this room."""

    sealer: Sealer
    reach: Reach
    root: Path

    @classmethod
    def of(cls, settings: Settings) -> "Outside":
        """As the settings have it."""
        key = installation_key(settings.identity.secret_key, settings.home)
        return cls(Sealer(key), Reach.of(settings.outgoing), root_of(settings.home, settings.cloud_files))


def seal_secret(sealer: Sealer, store_id: UUID, secret: str) -> bytes:
    """A store's credential as the database holds it."""
    return sealer.seal(secret.encode(), b"cloud_stores:" + store_id.bytes)


def open_store(row: CloudStore, outside: Outside) -> Store:
    """The store, ready for use; nothing is called yet. Raises StoreError where its credential cannot be opened."""
    secret = _secret_of(row, outside.sealer)
    makers: dict[str, Any] = {"local": _local, "s3": _s3, "sharepoint": _sharepoint, "google-drive": _drive}
    store: Store = makers[row.provider](row, secret, outside)
    return store


def _secret_of(row: CloudStore, sealer: Sealer) -> str:
    if row.secret_sealed is None:
        return ""
    try:
        return sealer.open(row.secret_sealed, b"cloud_stores:" + row.id.bytes).decode()
    except SealingError:
        raise StoreError(
            "The store's credential cannot be opened with this installation's key; enter it again."
        ) from None


def _local(row: CloudStore, secret: str, outside: Outside) -> Store:
    del secret
    return LocalStore(local_folder(outside.root), row.folder)


def _s3(row: CloudStore, secret: str, outside: Outside) -> Store:
    bucket = Bucket(row.bucket, row.folder, row.endpoint, row.region, row.client_id, secret)
    return S3Store(bucket, outside.reach)


def _sharepoint(row: CloudStore, secret: str, outside: Outside) -> Store:
    library = Library(
        row.drive_id,
        row.folder,
        row.tenant_id,
        row.client_id,
        secret,
        row.api_url or sharepoint.API_URL,
        row.login_url or sharepoint.LOGIN_URL,
    )
    return SharePointStore(library, outside.reach)


def _drive(row: CloudStore, secret: str, outside: Outside) -> Store:
    try:
        email, private_key = account_in(secret)
    except KeyFileError:
        raise StoreError("The service account's key cannot be used; enter it again.") from None
    folder = google_drive.Folder(
        row.folder,
        email,
        private_key,
        row.api_url or google_drive.API_URL,
        row.login_url or google_drive.LOGIN_URL,
    )
    return GoogleDriveStore(folder, outside.reach)
