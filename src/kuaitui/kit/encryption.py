"""Sealing of what must be kept but not read: AES-256-GCM, and a blind index to find equals.

A sealed value names the key it was sealed with, so keys can be added and old values still opened.
The context it is sealed in (table, column, row) is authenticated with it: a value copied into
another row does not open there.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

KEY_BYTES = 32
NONCE_BYTES = 12


class SealBroken(Exception):  # noqa: N818 - it states what happened
    """A sealed value does not open: another context, another key, or changed bytes."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What is stored: which key, and the nonce with the ciphertext."""

    key_id: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Keyring:
    """Sealing keys by id, the one in use, and the key of the blind index."""

    current: str
    keys: dict[str, bytes] = field(repr=False)
    index_key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if self.current not in self.keys:
            raise ValueError("the keyring names a current key that it does not hold")
        if any(len(key) != KEY_BYTES for key in (*self.keys.values(), self.index_key)):
            raise ValueError(f"every key of the keyring has {KEY_BYTES} bytes")

    def seal(self, text: str, *, context: str) -> Sealed:
        """Encrypt `text` so that it opens in this context only."""
        nonce = os.urandom(NONCE_BYTES)
        content = AESGCM(self.keys[self.current]).encrypt(
            nonce, text.encode(), self._bound(self.current, context)
        )
        return Sealed(self.current, nonce + content)

    def unseal(self, sealed: Sealed, *, context: str) -> str:
        """Decrypt what `seal` made in the same context.

        Raises:
            SealBroken: the key is missing, the context is another, or the bytes were changed.
        """
        key = self.keys.get(sealed.key_id)
        if key is None:
            raise SealBroken(f"the keyring has no key {sealed.key_id!r}")
        nonce, content = sealed.content[:NONCE_BYTES], sealed.content[NONCE_BYTES:]
        try:
            text = AESGCM(key).decrypt(nonce, content, self._bound(sealed.key_id, context))
        except InvalidTag:
            raise SealBroken("the sealed value does not open in this context") from None
        return text.decode()

    def blind(self, text: str, *, purpose: str) -> str:
        """A fingerprint that is equal for equal texts and tells nothing else without the key."""
        message = f"{purpose}\0{text}".encode()
        return hmac.new(self.index_key, message, hashlib.sha256).hexdigest()

    @staticmethod
    def _bound(key_id: str, context: str) -> bytes:
        return f"{key_id}\0{context}".encode()


def new_keyring(*, key_id: str = "k1") -> Keyring:
    """Fresh random keys."""
    return Keyring(key_id, {key_id: secrets.token_bytes(KEY_BYTES)}, secrets.token_bytes(KEY_BYTES))


def read_keyring(path: Path) -> Keyring:
    """The keyring in a file, made on first use, readable by its owner only."""
    if not path.exists():
        _write_once(path, new_keyring())
    document = json.loads(path.read_text())
    return Keyring(
        current=document["current"],
        keys={name: base64.b64decode(key) for name, key in document["keys"].items()},
        index_key=base64.b64decode(document["index_key"]),
    )


def _write_once(path: Path, keyring: Keyring) -> None:
    """Write the whole file beside its place, then link it there: the first one wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "current": keyring.current,
        "keys": {name: base64.b64encode(key).decode() for name, key in keyring.keys.items()},
        "index_key": base64.b64encode(keyring.index_key).decode(),
    }
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(document, file)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


@functools.cache
def keyring() -> Keyring:
    """The keyring of this installation."""
    return read_keyring(Path(settings.KUAITUI_KEYRING_FILE))
