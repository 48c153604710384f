"""Whose address a request bears."""

from __future__ import annotations

import pytest
from django.test import RequestFactory

from kuaitui.kit.web import visitor_address

PROXY, VISITOR = "192.0.2.1", "203.0.113.7"


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        (VISITOR, VISITOR),
        (f"198.51.100.4, {VISITOR}", VISITOR),
        ("2001:DB8::7", "2001:db8::7"),
        (None, PROXY),
        ("", None),
        ("unknown", None),
        (f"{VISITOR}:4711", None),
    ],
)
def test_behind_a_proxy_the_visitor_is_whom_the_proxy_saw(settings, forwarded, address) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}

    request = RequestFactory().get("/", headers=headers, REMOTE_ADDR=PROXY)

    assert visitor_address(request) == address


def test_without_a_proxy_what_a_visitor_claims_is_not_read(settings) -> None:
    settings.SECURE_PROXY_SSL_HEADER = None

    request = RequestFactory().get("/", headers={"X-Forwarded-For": VISITOR}, REMOTE_ADDR=PROXY)

    assert visitor_address(request) == PROXY
