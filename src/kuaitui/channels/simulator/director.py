"""How tests, demo and journey direct a simulated channel, and read its book."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict
from typing import Any, cast

import httpx

from kuaitui.channels.simulator.faults import Rule
from kuaitui.channels.simulator.signing import NONCE_HEADER, SIGNATURE_HEADER, sign

TIMEOUT_S = 10.0


class Director:
    """The director's side of `/_sim/`."""

    def __init__(self, base_url: str, key: bytes) -> None:
        self._http = httpx.Client(base_url=base_url, timeout=TIMEOUT_S, trust_env=False)
        self._key = key

    def book(self) -> dict[str, Any]:
        """Everything the channel knows: instructions, movements, requests, paid per number."""
        return self.call("GET", "/_sim/book")

    def paid(self) -> dict[str, dict[str, int]]:
        """Per number: times_paid, times_returned, with_payee_minor."""
        return cast("dict[str, dict[str, int]]", self.book()["paid"])

    def misbehave(self, *rules: Rule) -> None:
        """Add faults."""
        self.call("POST", "/_sim/rules", {"rules": [asdict(rule) for rule in rules]})

    def behave(self) -> None:
        """Take all faults away."""
        self.call("DELETE", "/_sim/rules")

    def set(self, **settings: object) -> None:
        """Change settings of the channel: its server says which it has."""
        self.call("POST", "/_sim/settings", settings)

    def advance(self, *, seconds: float) -> None:
        """Let the channel's clock jump ahead."""
        self.call("POST", "/_sim/advance", {"seconds": seconds})

    def return_now(self, number: str, *, code: str = "") -> None:
        """Let the payee's bank give a paid amount back, for a reason of its own unless one is named."""
        self.call("POST", "/_sim/return", {"number": number} | ({"code": code} if code else {}))

    def collect(self, reference: str, *, amount_minor: int, number: str = "") -> None:
        """Let somebody pay in, under the channel's own reference."""
        document = {"reference": reference, "amount_minor": amount_minor}
        self.call("POST", "/_sim/collect", document | ({"number": number} if number else {}))

    def pay_in(self, number: str, *, amount_minor: int | None = None, anyhow: bool = False) -> str:
        """Let somebody pay an order, `anyhow` also one that cannot be; the payment's reference."""
        document = {"number": number, "amount_minor": amount_minor, "anyhow": anyhow}
        return str(self.call("POST", "/_sim/pay", document)["reference"])

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def call(
        self, method: str, path: str, document: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """One signed direction; simulators with more of them build on this."""
        body = b"" if document is None else json.dumps(document).encode()
        nonce = secrets.token_hex(16)
        signature = sign(self._key, method.encode(), path.encode(), nonce.encode(), body)
        headers = {NONCE_HEADER: nonce, SIGNATURE_HEADER: signature}
        response = self._http.request(method, path, content=body, headers=headers)
        response.raise_for_status()
        return cast("dict[str, Any]", response.json())
