"""What the log says of a request, and what it never says."""

from __future__ import annotations

import logging

import pytest
import structlog
from django.test import Client

from kuaitui.config.logging import logging_settings

TOKEN = "s3cret-token-of-a-link-0123456789"


@pytest.fixture
def written(caplog):
    """The lines as the program's own formatter would write them."""
    settings = logging_settings()["formatters"]["json"]
    formatter = structlog.stdlib.ProcessorFormatter(
        processors=settings["processors"], foreign_pre_chain=settings["foreign_pre_chain"]
    )
    caplog.set_level(logging.INFO)
    return lambda: "\n".join(formatter.format(record) for record in caplog.records)


def test_each_request_is_one_event_with_route_status_and_its_name(client, written):
    response = client.get("/livez", headers={"X-Request-ID": "proxy-0123456789"})

    assert response["X-Request-ID"] == "proxy-0123456789"
    assert written().count('"event": "http.request"') == 1
    assert '"route": "/livez"' in written()
    assert '"status": 200' in written()
    assert '"request_id": "proxy-0123456789"' in written()


@pytest.mark.parametrize("forged", ["short", 'x"y', "a b c d e f g h", "x" * 65])
def test_a_forged_request_name_is_replaced(client, forged):
    assert client.get("/livez", headers={"X-Request-ID": forged})["X-Request-ID"] != forged


@pytest.mark.django_db
def test_no_token_name_or_password_reaches_the_log(written):
    client = Client(enforce_csrf_checks=False)

    client.get(f"/link/{TOKEN}?next={TOKEN}")
    client.post(f"/link/{TOKEN}")
    client.post("/login", {"username": "planted.name", "password": "planted-password"})
    Client(enforce_csrf_checks=True).post(f"/link/{TOKEN}")

    assert '"route": "/link/<str:token>"' in written()
    for secret in [TOKEN, "planted.name", "planted-password"]:
        assert secret not in written()
