"""A simulated channel tells its client what happened, in its own hand, until it is heard."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from kuaitui.channels.simulator.signing import NONCE_HEADER, SIGNATURE_HEADER, sign
from kuaitui.channels.simulator.store import Store

EVERY_S = 0.2
TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Letter:
    """One notification, ready to be posted."""

    url: str
    content: bytes
    headers: Mapping[str, str]


class Hand(Protocol):
    """How one channel writes its notifications, and when it repeats them."""

    @property
    def repeats_s(self) -> Sequence[float]:
        """How long it waits before each repeat. After the last it gives up."""

    def write(self, notification: dict[str, Any]) -> Letter:
        """Render a row of the announcements; its `disguise` says what is wrong with it."""

    def is_heard(self, response: httpx.Response) -> bool:
        """Whether this answer ends the repeats."""


class Notifier(threading.Thread):
    """Posts what is due until it is heard."""

    def __init__(self, *, store: Store, hand: Hand) -> None:
        super().__init__(name="notifier", daemon=True)
        self._store = store
        self._hand = hand
        self._stopping = threading.Event()
        self._one_at_a_time = threading.Lock()
        self._http = httpx.Client(timeout=TIMEOUT_S, trust_env=False)

    def run(self) -> None:
        """Go on until stopped."""
        while not self._stopping.wait(EVERY_S):
            self.deliver()
        self._http.close()

    def deliver(self) -> None:
        """Post everything that is due now."""
        with self._one_at_a_time:
            for notification in self._store.due_notifications():
                self._notify(notification)

    def stop(self) -> None:
        """Stop telling."""
        self._stopping.set()
        self.join()

    def _notify(self, notification: dict[str, Any]) -> None:
        letter = self._hand.write(notification)
        try:
            answer = self._http.post(letter.url, content=letter.content, headers=letter.headers)
            is_heard = self._hand.is_heard(answer)
        except (httpx.HTTPError, httpx.InvalidURL):
            is_heard = False
        attempts, repeats_s = notification["attempts"], self._hand.repeats_s
        gives_up = is_heard or bool(notification["disguise"]) or attempts >= len(repeats_s)
        again_at = None if gives_up else self._store.now() + repeats_s[attempts]
        self._store.note_notified(notification["id"], again_at=again_at)


class PlainHand:
    """The plain simulator's hand: JSON, signed with the shared key, to one address."""

    repeats_s = (15, 15, 30, 180, 600, 1200, 1800, 3600)

    def __init__(self, *, url: str, key: bytes) -> None:
        self._url = url
        self._key = key

    def write(self, notification: dict[str, Any]) -> Letter:
        """Say which number came into which state."""
        names = {"id": "event", "number": "number", "state": "state"}
        content = json.dumps({name: notification[column] for name, column in names.items()})
        nonce = secrets.token_hex(16)
        key = b"another key" if notification["disguise"] else self._key
        signature = sign(key, nonce.encode(), content.encode())
        return Letter(
            self._url, content.encode(), {NONCE_HEADER: nonce, SIGNATURE_HEADER: signature}
        )

    def is_heard(self, response: httpx.Response) -> bool:
        """Any success."""
        return response.is_success
