"""No log line holds a person's name, an account number or a secret, whatever is logged."""

from __future__ import annotations

import io
import json
import logging
import re

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from kuaitui.config.logging import SECRET_FIELDS, logging_settings

CARD = "6222020200001234562"
WRITINGS = [CARD, "6222 0202 0000 1234 562", "6222-0202-0000-1234-562", "110101199003074477"]
OWNER = "王小明"


@pytest.fixture(scope="module")
def write():
    """Log through the program's own formatter; answers with the line as it would be written."""
    parts = logging_settings()["formatters"]["json"]
    formatter = structlog.stdlib.ProcessorFormatter(
        processors=parts["processors"], foreign_pre_chain=parts["foreign_pre_chain"]
    )
    logger = logging.getLogger("test_logging")
    logger.propagate = False
    logger.setLevel(logging.DEBUG)

    def written(log):
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        handler.setFormatter(formatter)
        logger.handlers = [handler]
        log(structlog.get_logger("test_logging"), logger)
        return stream.getvalue()

    return written


def failing(words):
    """Logs an exception that says these words."""

    def fail(log, _):
        try:
            int(words)
        except ValueError as error:
            error.args = (words,)
            log.exception("thing.failed")

    return fail


@pytest.mark.parametrize("field", sorted(SECRET_FIELDS))
def test_a_field_that_may_hold_a_secret_is_never_written(write, field):
    line = write(lambda log, _: log.info("thing.done", **{field: "planted"}))

    assert "planted" not in line
    assert json.loads(line)[field] == "[removed]"


@pytest.mark.parametrize("field", sorted(SECRET_FIELDS))
def test_nor_at_any_depth(write, field):
    line = write(
        lambda log, _: log.info("thing.done", asked={"by": [{field: "planted", "id": "usr_1"}]})
    )

    assert "planted" not in line
    assert "usr_1" in line


@pytest.mark.parametrize("number", WRITINGS)
def test_an_account_number_in_any_text_is_removed(write, number):
    lines = [
        write(lambda log, _: log.info("thing.done", note=f"to {number}, please")),
        write(lambda log, _: log.info("thing.done", answer={"payee": [number]})),
        write(lambda _, foreign: foreign.warning("paid to %s", number)),
        write(lambda _, foreign: foreign.warning("paid", extra={"payee": number})),
    ]

    for line in lines:
        assert re.sub(r"\D", "", number) not in re.sub(r"\D", "", line)


@pytest.mark.parametrize("number", WRITINGS)
def test_nor_does_a_traceback_show_it(write, number):
    line = write(failing(f"no such account: {number}"))

    assert "ValueError" in line
    assert number not in line


def test_a_row_that_the_database_quotes_is_not_written(write):
    line = write(
        failing(
            f"new row violates check\nDETAIL:  Failing row contains (1, {OWNER}, {CARD}).\n"
            f"CONTEXT:  while working on {OWNER}"
        )
    )

    assert "new row violates check" in line
    assert OWNER not in line


@given(st.from_regex(r"[1-9][0-9]{11,18}", fullmatch=True), st.sampled_from(["", " ", "-"]))
def test_no_grouping_of_digits_gets_through(write, digits, separator):
    grouped = separator.join(digits[at : at + 4] for at in range(0, len(digits), 4))

    line = write(lambda log, _: log.info("thing.done", note=f"({grouped})"))

    assert grouped not in line


@pytest.mark.parametrize(
    "harmless",
    [
        "rfa_01m8323b80fy9nkrr04entk0e1",
        "leg01m8323b80fy9nkrr04entk0e1",
        "2026-11-23T02:00:00.123456+00:00",
        "2026-11-23 02:00:00",
        "CNY 10,000.00",
        "a79693cc8a7fa5263708b0fc7f54e61955ffe38bd181a37bf54f601f69b96bfc",
    ],
)
def test_ids_times_amounts_and_hashes_stay_readable(write, harmless):
    assert harmless in write(lambda log, _: log.info("thing.done", what=harmless))


def test_a_line_is_one_json_object_with_event_level_and_time(write):
    line = write(lambda log, _: log.info("payout.attempt.outcome_unknown", leg_id="leg_1"))

    assert line.count("\n") == 1
    written = json.loads(line)
    assert written["event"] == "payout.attempt.outcome_unknown"
    assert written["level"] == "info"
    assert written["leg_id"] == "leg_1"
    assert written["timestamp"].endswith("Z")
