"""Seals small secrets that the product must be able to read again: AES-256-GCM under the installation's key."""

import base64
import binascii
import contextlib
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

from fleetkeeper.errors import StartupError
from fleetkeeper.kit.secrets import write_secret_file

KEY_BYTES = 32
KEY_FILE = "secret-key"
_VERSION = b"\x01"
# NIST SP 800-38D: 96 bits, random; good for 2^32 secrets under one key.
_NONCE_BYTES = 12
_HEADER_BYTES = len(_VERSION) + _NONCE_BYTES


class SealingError(Exception):
    """What was to be opened was not sealed with this key for this context, or was changed since."""


class Sealer:
    """Seals and opens with one key of 32 bytes. The context (a table, a row) is not stored, and must be the same."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes")
        # The installation's key may serve other purposes as well; none of them shares its bits with this one.
        self._cipher = AESGCM(HKDF(SHA256(), KEY_BYTES, None, b"fleetkeeper sealing 1").derive(key))

    def seal(self, secret: bytes, context: bytes) -> bytes:
        """The secret as bytes that tell nothing of it but its length."""
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, secret, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """The secret again. Raises SealingError."""
        if sealed[:1] != _VERSION or len(sealed) < _HEADER_BYTES:
            raise SealingError("not sealed by this product")
        try:
            return self._cipher.decrypt(
                sealed[len(_VERSION) : _HEADER_BYTES], sealed[_HEADER_BYTES:], context
            )
        except InvalidTag:
            raise SealingError("sealed with another key, for another place, or changed since") from None


def installation_key(given: SecretStr | None, home: Path) -> bytes:
    """The configured key, else the one in the home folder, which is made at its first use. Raises StartupError."""
    if given is not None:
        return _decode(given.get_secret_value(), "FLEETKEEPER_IDENTITY__SECRET_KEY")
    path = home / KEY_FILE
    try:
        if not path.exists():
            _make_key_file(path)
        text = path.read_text()
    except OSError as error:
        raise StartupError(f"The key in {path} cannot be read or made ({error.strerror}).") from None
    return _decode(text, str(path))


def _make_key_file(path: Path) -> None:
    """Write the file whole under another name, and give it its name unless another process was first."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o711)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    write_secret_file(draft, base64.b64encode(os.urandom(KEY_BYTES)).decode())
    try:
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()


def _decode(text: str, place: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise StartupError(f"{place} is wrong: it holds {KEY_BYTES} random bytes in base64.")
    return key
