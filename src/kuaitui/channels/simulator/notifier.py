"""The simulated channel tells its client what happened: signed, sometimes twice, sometimes forged."""

from __future__ import annotations

import json
import secrets
import threading
from typing import Any

import httpx

from kuaitui.channels.simulator.book import Book
from kuaitui.channels.simulator.signing import NONCE_HEADER, SIGNATURE_HEADER, sign

EVERY_S = 0.2
TIMEOUT_S = 5.0
# As WeChat does: soon again, then ever more slowly, and then no more.
REPEATS_S = (15, 15, 30, 180, 600, 1200, 1800, 3600)


class Notifier(threading.Thread):
    """Posts what is due to one address until it answers with success."""

    def __init__(self, *, book: Book, url: str, key: bytes) -> None:
        super().__init__(name="notifier", daemon=True)
        self._book = book
        self._url = url
        self._key = key
        self._stopping = threading.Event()
        self._http = httpx.Client(timeout=TIMEOUT_S, trust_env=False)

    def run(self) -> None:
        """Go on until stopped."""
        while not self._stopping.wait(EVERY_S):
            for notification in self._book.due_notifications():
                self._notify(notification)
        self._http.close()

    def stop(self) -> None:
        """Stop telling."""
        self._stopping.set()
        self.join()

    def _notify(self, notification: dict[str, Any]) -> None:
        body = json.dumps(
            {
                # The same event keeps its id however often it is told.
                "id": f"{notification['number']}:{notification['state']}",
                "number": notification["number"],
                "state": notification["state"],
            }
        ).encode()
        nonce = secrets.token_hex(16)
        key = b"another key" if notification["is_forged"] else self._key
        headers = {NONCE_HEADER: nonce, SIGNATURE_HEADER: sign(key, nonce.encode(), body)}
        try:
            is_heard = self._http.post(self._url, content=body, headers=headers).is_success
        except httpx.HTTPError:
            is_heard = False
        attempts = notification["attempts"]
        gives_up = is_heard or notification["is_forged"] or attempts >= len(REPEATS_S)
        again_at = None if gives_up else self._book.now() + REPEATS_S[attempts]
        self._book.note_notified(notification["id"], again_at=again_at)
