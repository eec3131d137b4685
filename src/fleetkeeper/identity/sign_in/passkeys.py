"""Passkeys (WebAuthn): what a browser is asked, and whether its answer holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    options_to_json_dict,
    parse_authentication_credential_json,
    parse_registration_credential_json,
)
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from fleetkeeper.identity.sign_in.models import Passkey

PRODUCT = "Fleetkeeper"
TIMEOUT_MILLISECONDS = 120_000
MAX_PASSKEYS = 20
# WebAuthn, level 2, section 4: a credential id has at most 1023 bytes.
MAX_CREDENTIAL_ID_BYTES = 1023
_TRANSPORTS = frozenset(item.value for item in AuthenticatorTransport)


class PasskeyError(Exception):
    """The browser's answer does not hold."""


@dataclass(frozen=True)
class RelyingParty:
    """Who asks, in the words of WebAuthn: the host name, and the origin of the pages."""

    id: str
    origin: str


@dataclass(frozen=True)
class Question:
    """What a browser is asked: `options` for its script, and the challenge that the answer must hold."""

    options: dict[str, Any]
    challenge: bytes


@dataclass(frozen=True)
class NewPasskey:
    """A credential that was made for us."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    transports: tuple[str, ...]


def ask_to_enrol(party: RelyingParty, user_id: UUID, username: str, existing: Sequence[Passkey]) -> Question:
    """Ask for a new passkey, which the authenticator shall keep itself where it can."""
    options = generate_registration_options(
        rp_id=party.id,
        rp_name=PRODUCT,
        user_id=user_id.bytes,
        user_name=username,
        timeout=TIMEOUT_MILLISECONDS,
        exclude_credentials=_descriptors(existing),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
    )
    return Question(options_to_json_dict(options), options.challenge)


def ask_to_prove(party: RelyingParty, allowed: Sequence[Passkey]) -> Question:
    """Ask for a signature by one of these passkeys, or by any that names its owner itself."""
    options = generate_authentication_options(
        rp_id=party.id,
        timeout=TIMEOUT_MILLISECONDS,
        allow_credentials=_descriptors(allowed) or None,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return Question(options_to_json_dict(options), options.challenge)


def check_new(party: RelyingParty, answer: Mapping[str, Any], challenge: bytes) -> NewPasskey:
    """The new passkey in an answer. Raises PasskeyError."""
    try:
        credential = parse_registration_credential_json(dict(answer))
        verified = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    except Exception as error:  # bytes from outside make the parsers raise nearly anything
        raise PasskeyError(type(error).__name__) from error
    if not 1 <= len(verified.credential_id) <= MAX_CREDENTIAL_ID_BYTES:
        raise PasskeyError("the credential's id has no fitting length")
    transports = tuple(item.value for item in credential.response.transports or ())
    return NewPasskey(verified.credential_id, verified.credential_public_key, verified.sign_count, transports)


def credential_id_of(answer: Mapping[str, Any]) -> bytes:
    """Which passkey an answer says that it is of. Raises PasskeyError."""
    try:
        raw_id: bytes = parse_authentication_credential_json(dict(answer)).raw_id
    except Exception as error:
        raise PasskeyError(type(error).__name__) from error
    return raw_id


def check_proof(party: RelyingParty, answer: Mapping[str, Any], challenge: bytes, passkey: Passkey) -> int:
    """The count of signatures in an answer that holds. Raises PasskeyError, also for a count that went back."""
    try:
        credential = parse_authentication_credential_json(dict(answer))
        verified = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    except Exception as error:
        raise PasskeyError(type(error).__name__) from error
    if credential.raw_id != passkey.credential_id:
        raise PasskeyError("the answer is of another passkey")
    owner = credential.response.user_handle
    if owner is not None and owner != passkey.user_id.bytes:
        raise PasskeyError("the passkey names another owner")
    return verified.new_sign_count


def _descriptors(passkeys: Sequence[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=passkey.credential_id,
            transports=[AuthenticatorTransport(item) for item in passkey.transports if item in _TRANSPORTS]
            or None,
        )
        for passkey in passkeys
    ]
