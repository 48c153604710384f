"""A payee's name and account number are planted; after a whole story they lie where they must."""

from __future__ import annotations

import re

import pytest
from django.db import connection

from kuaitui.refunds.states import State
from tests.support import given, refunds_given

# The one table whose purpose is to hold the payee's name; the number lies there sealed.
HOLDS_NAMES = {"deposits_destination"}
CARDS = [re.sub(r"\D", "", number) for number in (given.CARD, refunds_given.OTHER_CARD)]


@pytest.mark.django_db
def test_no_table_shows_a_payee_but_the_one_that_must():
    refunds_given.application(State.RETURNED, route_open=False)
    refunds_given.application(State.DESTINATION_REPAIRED, route_open=False)

    contents = {table: shown(table) for table in connection.introspection.table_names()}

    assert "rfa_" in contents["audit_event"]  # acts are recorded, without names
    assert {name for name, text in contents.items() if given.OWNER in text} == HOLDS_NAMES
    assert not {name for name, text in contents.items() if any(card in text for card in CARDS)}


def shown(table: str) -> str:
    """Everything a table holds, as text without spaces and dashes."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT string_agg(shown::text, ' ') FROM \"{table}\" AS shown")
        return re.sub(r"[ -]", "", cursor.fetchone()[0] or "")
