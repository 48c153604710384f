"""Structured logs: one JSON object a line, an event name and ids, never a person or a secret."""

from __future__ import annotations

import json
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


REMOVED = "[removed]"
# A run of digits as long as a bank card's or an identity document's, however it is grouped.
_LONG_NUMBER = re.compile(r"(?<![\w-])\d(?:[ -]?\d){11,23}(?![\w-])")
# What PostgreSQL adds to an error: a key or a whole row, and so perhaps a person.
_DETAIL = re.compile(r"^((?:\S+: )?(?:DETAIL|CONTEXT|QUERY): ).*$", re.MULTILINE)


def drop_secrets(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replace the value of every field, at any depth, that could name a person or open a door."""
    for field, value in event.items():
        event[field] = REMOVED if field in SECRET_FIELDS else _without_secrets(value)
    return event


def _without_secrets(value: object) -> object:
    match value:
        case dict():
            return {
                field: REMOVED if field in SECRET_FIELDS else _without_secrets(inner)
                for field, inner in value.items()
            }
        case list() | tuple():
            return [_without_secrets(inner) for inner in value]
        case _:
            return value


def drop_long_numbers(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Take whatever may be an account number, and rows quoted by the database, out of all texts.

    Comes last, when tracebacks and nested values are texts already.
    """
    for field, value in event.items():
        if isinstance(value, str):
            event[field] = _LONG_NUMBER.sub(REMOVED, _DETAIL.sub(rf"\1{REMOVED}", value))
        elif isinstance(value, dict | list):
            event[field] = _LONG_NUMBER.sub(REMOVED, json.dumps(value, default=str))
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
                    drop_long_numbers,
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
