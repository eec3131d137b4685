"""What is kept of a provider, sealed: its client secret, and the tokens of each session."""

from uuid import UUID

import msgspec

from fleetkeeper.identity.oidc.models import IdentityProvider
from fleetkeeper.kit.sealing import Sealer


class ProviderTokens(msgspec.Struct, frozen=True):
    """What a session asks its provider with."""

    access_token: str
    refresh_token: str | None
    subject: str
    # Where this provider tells groups: in ID tokens only, or in its userinfo.
    groups_in_id_token: bool


def seal_tokens(sealer: Sealer, user_id: UUID, tokens: ProviderTokens) -> bytes:
    """The tokens as the database holds them."""
    return sealer.seal(msgspec.json.encode(tokens), b"sessions:" + user_id.bytes)


def open_tokens(sealer: Sealer, user_id: UUID, sealed: bytes) -> ProviderTokens:
    """The tokens again. Raises SealingError."""
    return msgspec.json.decode(sealer.open(sealed, b"sessions:" + user_id.bytes), type=ProviderTokens)


def seal_client_secret(sealer: Sealer, provider_id: UUID, secret: str) -> bytes:
    """A client secret as the database holds it."""
    return sealer.seal(secret.encode(), b"identity_providers:" + provider_id.bytes)


def open_client_secret(sealer: Sealer, provider: IdentityProvider) -> str | None:
    """A provider's client secret; None for a public client. Raises SealingError."""
    sealed = provider.client_secret_sealed
    if sealed is None:
        return None
    return sealer.open(sealed, b"identity_providers:" + provider.id.bytes).decode()
