"""Structured logs: one JSON object a line, an event name and ids, never a person or a secret."""

from __future__ import annotations

import os
import re
from collections.abc import MutableMapping
from typing import Any

import structlog

# A field by one of these names never reaches a log, whoever passes it.
SECRET_FIELDS = frozenset(
    {
        "account_number", "card_number", "id_number", "name", "holder", "holder_name", "password",
        "phone", "email", "secret", "token", "authorization", "cookie", "address", "destination",
    }
)  # fmt: skip


def drop_secrets(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replace the value of every field that could name a person or open a door."""
    for field in event:
        if field in SECRET_FIELDS:
            event[field] = "[removed]"
    return event


# Django names the address of a refused request in its own words, and a one-time link is an address.
_LINK = re.compile(r"/link/[^\s\"'<]+")


def drop_link_tokens(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Take the token out of every one-time link in a message or a traceback."""
    for field, value in event.items():
        if isinstance(value, str) and "/link/" in value:
            event[field] = _LINK.sub("/link/[removed]", value)
    return event


def logging_settings() -> dict[str, Any]:
    """The dictionary for `logging.config`, and structlog set up to match."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        drop_secrets,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    level = os.environ.get("KUAITUI_LOG_LEVEL", "INFO")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    drop_link_tokens,
                    structlog.processors.JSONRenderer(ensure_ascii=False),
                ],
                "foreign_pre_chain": shared,
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "axes": {"level": "WARNING"},
            "httpx": {"level": "WARNING"},
            "httpcore": {"level": "WARNING"},
            "django.db.backends": {"level": "INFO"},
        },
    }
