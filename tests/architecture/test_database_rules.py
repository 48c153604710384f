"""Rules of the database are broken by some test: by name, or here, where their kind is plain."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction

TESTS = Path(__file__).parents[1]
# Whose every rule a test must name; the tests of other contexts match what the database says.
NAMED = ("ledger_", "audit_", "kit_")

RULES = """
    SELECT conrelid::regclass::text, conname FROM pg_constraint
    WHERE contype IN ('c', 'u', 'x') AND conrelid <> 0 AND connamespace = 'public'::regnamespace
    UNION SELECT contypid::regtype::text, conname FROM pg_constraint
    WHERE contypid <> 0 AND connamespace = 'public'::regnamespace AND contype = 'c'
    UNION SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal
    UNION SELECT indrelid::regclass::text, relname FROM pg_index
        JOIN pg_class ON indexrelid = pg_class.oid
    WHERE relnamespace = 'public'::regnamespace AND indisunique AND indpred IS NOT NULL
"""
# Statement triggers that refuse: they fire for a statement that finds no row, so it can be tried.
REFUSING = """
    SELECT tgrelid::regclass::text, tgname, tgtype::int FROM pg_trigger
    JOIN pg_proc ON pg_proc.oid = tgfoid
    WHERE NOT tgisinternal AND tgtype & 1 = 0 AND tgqual IS NULL AND proname LIKE '%refuse%'
"""
CHECKS_OF_ONE_COLUMN = """
    SELECT conname, attname, format_type(atttypid, atttypmod), pg_get_expr(conbin, conrelid)
    FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
    WHERE contype = 'c' AND conrelid <> 0 AND connamespace = 'public'::regnamespace
        AND cardinality(conkey) = 1 AND conname ~ '(is_known|positive|not_negative)$'
"""
UPDATE_BIT, DELETE_BIT, TRUNCATE_BIT = 16, 8, 32
# Names the framework gives, for single columns that are unique.
GIVEN_BY_DJANGO = re.compile(r"_key$")


@pytest.fixture(scope="module")
def tests_text() -> str:
    here = Path(__file__)
    return "\n".join(path.read_text() for path in TESTS.rglob("*.py") if path != here)


def ask(statement: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return sorted(row for row in cursor.fetchall())


def refused(statement: str) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    except DatabaseError as error:
        return "refused" in str(error) or "never" in str(error) or "append-only" in str(error)
    return False


@pytest.mark.django_db
def test_what_must_not_change_or_leave_refuses_it_even_where_nothing_is_found() -> None:
    triggers = ask(REFUSING)
    assert len(triggers) > 10

    let_through = []
    for table, name, kind in triggers:
        column = ask(
            f"SELECT attname FROM pg_attribute WHERE attnum = 1 AND attrelid = '{table}'::regclass"
        )[0][0]
        statements = {
            UPDATE_BIT: f"UPDATE {table} SET {column} = {column} WHERE false",
            DELETE_BIT: f"DELETE FROM {table} WHERE false",
            TRUNCATE_BIT: f"TRUNCATE {table} CASCADE",
        }
        let_through += [
            f"{name}: {statement}"
            for bit, statement in statements.items()
            if kind & bit and not refused(statement)
        ]

    assert let_through == []


@pytest.mark.django_db
def test_checks_of_a_single_value_refuse_the_values_they_are_named_for() -> None:
    checks = ask(CHECKS_OF_ONE_COLUMN)
    assert len(checks) > 15

    wrong = []
    for name, column, kind, expression in checks:
        for value, is_allowed in values_for(name, kind):
            asked = f"SELECT {expression} FROM (SELECT %s::{kind} AS {column}) AS given"
            with connection.cursor() as cursor:
                cursor.execute(asked.replace("%", "%%").replace("%%s", "%s"), [value])
                if cursor.fetchone()[0] is not is_allowed:
                    wrong.append(f"{name} with {value}")

    assert wrong == []


def values_for(name: str, kind: str) -> list[tuple[object, bool]]:
    if name.endswith("is_known"):
        return [(99, False)] if "int" in kind else [("nonsense", False), ("", False)]
    if name.endswith("not_negative"):
        return [(-1, False), (0, True)]
    return [(-1, False), (0, False), (1, True)]


@pytest.mark.django_db
def test_every_other_rule_of_books_and_trail_is_named_by_a_test(tests_text) -> None:
    tried_here = {name for _, name, _ in ask(REFUSING)}
    tried_here |= {name for name, *_ in ask(CHECKS_OF_ONE_COLUMN)}
    rules = [(of, name) for of, name in ask(RULES) if of.startswith(NAMED)]
    assert len(rules) > 20

    untried = [
        f"{of}: {name}"
        for of, name in rules
        if name not in tried_here and not GIVEN_BY_DJANGO.search(name) and name not in tests_text
    ]

    assert untried == [], "\n".join(untried)
