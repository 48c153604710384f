"""Both sides of the simulator's wire prove themselves by HMAC-SHA256 with one shared key."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

NONCE_HEADER = "Simulator-Nonce"
SIGNATURE_HEADER = "Simulator-Signature"
KEY_VARIABLE = "KUAITUI_SIMULATOR_KEY"


def sign(key: bytes, *parts: bytes) -> str:
    """The signature over the parts; each part's length is signed too, so none can flow over."""
    digest = hmac.new(key, digestmod=hashlib.sha256)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def is_signed(key: bytes, signature: str, *parts: bytes) -> bool:
    """Whether the signature is right for these parts."""
    return hmac.compare_digest(signature.encode(), sign(key, *parts).encode())


def shared_key(file: Path) -> bytes:
    """The key from the environment, or one kept in a file that whoever comes first makes."""
    if key := os.environ.get(KEY_VARIABLE):
        return key.encode()
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_urlsafe(32))
    try:
        # A link appears whole or not at all, and only once: two starters agree on one key.
        file.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return file.read_text().strip().encode()
