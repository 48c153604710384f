"""One Stripe account, as the settings describe it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from kuaitui.kernel.errors import Refusal

API_URL: Final = "https://api.stripe.com"
SECRET_CHARACTERS_MAX: Final = 512
HOUR_S: Final = 3600.0
# Stripe forgets an idempotency key after 24 hours at the earliest, and then does the work again.
RESEND_WINDOW_S_MAX: Final = 23 * HOUR_S
PLAIN: Final = frozenset(
    {"base_url", "not_found_floor_s", "resend_window_s", "return_window_s", "cancel_url"}
)
SECRETS: Final = frozenset({"api_key_file", "webhook_secret_files"})


class StripeSettingsWrong(Refusal):
    """The settings of a Stripe channel are incomplete or contradict themselves."""

    code = "channel.stripe.settings_wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeSettings:
    """The account, its secrets, and how long its promises hold.

    `webhook_secrets` may be several: the old and the new one while an endpoint's is exchanged.
    """

    api_key: str = field(repr=False)
    webhook_secrets: tuple[bytes, ...] = field(repr=False)
    base_url: str = API_URL
    cancel_url: str = ""
    not_found_floor_s: float = 600.0
    resend_window_s: float = RESEND_WINDOW_S_MAX
    return_window_s: float = 30 * 24 * HOUR_S
    """How long a paid refund is still looked at: the payee's bank may send it back."""

    def __post_init__(self) -> None:
        if not self.api_key or not self.webhook_secrets or not all(self.webhook_secrets):
            raise StripeSettingsWrong
        if self.resend_window_s > RESEND_WINDOW_S_MAX:
            raise StripeSettingsWrong(setting="resend_window_s")

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> StripeSettings:
        """Read one entry of the channel settings; secrets lie in files.

        Raises:
            StripeSettingsWrong: something is missing or unknown, or a file cannot be read.
        """
        unknown = set(document) - PLAIN - SECRETS
        missing = SECRETS - set(document)
        if unknown or missing:
            raise StripeSettingsWrong(setting=min(unknown or missing))
        if not isinstance(document["webhook_secret_files"], list | tuple):
            raise StripeSettingsWrong(setting="webhook_secret_files")
        return cls(
            api_key=_secret(document["api_key_file"]),
            webhook_secrets=tuple(
                _secret(file).encode() for file in document["webhook_secret_files"]
            ),
            **{name: document[name] for name in PLAIN & set(document)},
        )


def _secret(file: str) -> str:
    try:
        with Path(file).open(encoding="ascii") as opened:
            secret = opened.read(SECRET_CHARACTERS_MAX + 1).strip()
    except (OSError, ValueError):
        raise StripeSettingsWrong(file=Path(file).name) from None
    if not secret or len(secret) > SECRET_CHARACTERS_MAX:
        raise StripeSettingsWrong(file=Path(file).name)
    return secret
