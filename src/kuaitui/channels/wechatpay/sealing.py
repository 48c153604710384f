"""What only two may read: fields that we seal for WeChat Pay, and resources it seals for us.

Source: reference §1.1 (RSA-OAEP with SHA-1; AEAD_AES_256_GCM under the merchant's APIv3 key);
RFC 8017 §7.1.1.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kuaitui.kernel.invariants import ensure

ALGORITHM: Final = "AEAD_AES_256_GCM"
HASH_BYTES: Final = 20  # SHA-1, as WeChat Pay prescribes for OAEP


class SealedUnreadable(Exception):  # noqa: N818 - an answer, like a refusal
    """This was not sealed for us, or not whole."""


def open_sealed(key: bytes, resource: object) -> bytes:
    """The content of a resource that WeChat Pay sealed under our APIv3 key.

    Raises:
        SealedUnreadable: another key, another algorithm, or one changed bit.
    """
    if not isinstance(resource, dict) or resource.get("algorithm") != ALGORITHM:
        raise SealedUnreadable
    try:
        return AESGCM(key).decrypt(
            str(resource["nonce"]).encode(),
            base64.b64decode(resource["ciphertext"], validate=True),
            str(resource.get("associated_data") or "").encode(),
        )
    except (KeyError, TypeError, ValueError, binascii.Error, InvalidTag):
        raise SealedUnreadable from None


def seal_field(key: RSAPublicKey, text: str, *, secret: bytes, context: str) -> str:
    """Encrypt a field by RSA-OAEP for WeChat Pay, in base64.

    The seed is derived from a secret of ours, the context (number and field) and the text instead
    of drawn: a resend must be the same request, byte for byte, or it may be refused as another
    one. Whoever does not know the secret can tell the seed from a drawn one as little as before;
    all that shows is that a number was sent twice with the same content.
    """
    message, size = text.encode(), (key.key_size + 7) // 8
    ensure(len(message) <= size - 2 * HASH_BYTES - 2, "a sealed field is short enough for its key")
    seed = hmac.digest(secret, f"oaep-seed\n{context}\n".encode() + message, "sha256")[:HASH_BYTES]
    padded = _pad(message, seed, size)
    numbers = key.public_numbers()
    sealed = pow(int.from_bytes(padded, "big"), numbers.e, numbers.n)
    return base64.b64encode(sealed.to_bytes(size, "big")).decode()


def _pad(message: bytes, seed: bytes, size: int) -> bytes:
    """EME-OAEP with an empty label."""
    block = hashlib.sha1(b"", usedforsecurity=False).digest()
    block += bytes(size - len(message) - 2 * HASH_BYTES - 2) + b"\x01" + message
    masked_block = _xor(block, _mask(seed, len(block)))
    masked_seed = _xor(seed, _mask(masked_block, HASH_BYTES))
    return b"\x00" + masked_seed + masked_block


def _mask(seed: bytes, length: int) -> bytes:
    """MGF1 with SHA-1."""
    rounds = range(-(-length // HASH_BYTES))
    parts = (
        hashlib.sha1(seed + count.to_bytes(4, "big"), usedforsecurity=False).digest()
        for count in rounds
    )
    return b"".join(parts)[:length]


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(left, right, strict=True))
