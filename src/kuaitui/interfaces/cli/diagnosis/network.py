"""Reaching a server without asking anything of it."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

CONNECT_WITHIN_S = 3.0
PORTS = {"http": 80, "https": 443}


def is_reachable(url: str) -> bool:
    """Whether the server of an address takes a connection."""
    parts = urlsplit(url)
    port = parts.port or PORTS.get(parts.scheme, 443)
    try:
        with socket.create_connection((parts.hostname or "", port), timeout=CONNECT_WITHIN_S):
            return True
    except OSError:
        return False
