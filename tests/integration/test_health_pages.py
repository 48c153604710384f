"""Addresses for those who watch whether the system is up."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from kuaitui.kit import health


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch):
    monkeypatch.setattr(health, "_SCHEMA", health._Schema())


def test_the_process_answers_without_a_database(client):
    assert client.get("/livez").json() == {"status": "ok"}  # no django_db mark: a query would fail


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["/readyz", "/healthz"])
def test_a_complete_system_is_ready(client, page):
    response = client.get(page)

    assert response.status_code == 200
    assert response.json()["status"] == "ready"


@pytest.mark.django_db
def test_a_missing_migration_is_not_ready(client):
    MigrationRecorder.Migration.objects.filter(app="accounts").delete()

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json() == {"status": "migrations_pending"}


@pytest.mark.django_db(transaction=True)
def test_an_unreachable_database_is_not_ready_and_says_nothing_more(client, monkeypatch):
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "NAME", "no_such_database")
    try:
        response = client.get("/readyz")
        again = client.get("/livez")
    finally:
        connection.close()

    assert response.status_code == 503
    assert response.json() == {"status": "database_unreachable"}
    assert again.status_code == 200
