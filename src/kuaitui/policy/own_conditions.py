"""Conditions of a pack's own: CEL expressions over the measures, in a sandbox without loops.

The library evaluates an expression to its end and has no step limit, so an expression may not
loop: no macros, no functions but a few of constant cost, and only so many characters. Whatever
goes wrong while one is evaluated makes the condition fail, never pass.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

EXPRESSION_LENGTH_MAX: Final = 500
NESTING_MAX: Final = 30
FUNCTIONS: Final = frozenset({
    "duration", "timestamp", "int", "double", "string", "size", "startsWith", "endsWith", "contains",
    "getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek",
})  # fmt: skip
VARIABLES: Final = frozenset({
    "as_of", "kind", "shop_kind", "categories", "standing", "deposit_kind", "currency", "opened_at",
    "open_orders", "last_order_completed_at", "open_after_sales", "open_disputes",
    "last_dispute_closed_at", "open_violations", "closing_notice_at", "closed_at", "expelled_at",
    "open_debt_minor", "listings_on_sale", "withdrawable_balance_minor", "held_minor",
    "frozen_minor", "required_minor", "refundable_minor",
})  # fmt: skip
_WORDS: Final = frozenset({"true", "false", "null", "in"})
_TOKEN: Final = re.compile(
    r"""(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
    r"""|(?P<member>\.\s*[A-Za-z_]\w*)(?P<member_call>\s*\()?"""
    r"""|(?P<name>[A-Za-z_]\w*)(?P<call>\s*\()?|(?P<open>[(\[{])|(?P<close>[)\]}])"""
)


def expression_problem(expression: str) -> str | None:
    """Why an expression cannot be used, or None if it can."""
    if len(expression) > EXPRESSION_LENGTH_MAX:
        return f"longer than {EXPRESSION_LENGTH_MAX} characters"
    if '"""' in expression or "'''" in expression:
        return "texts in triple quotes are not allowed"
    depth = 0
    for token in _TOKEN.finditer(expression):
        depth += (token["open"] or token["call"] or token["member_call"] or "").count("(")
        depth += (token["open"] or "") in {"[", "{"}
        depth -= token["close"] is not None
        if depth > NESTING_MAX:
            return f"nested deeper than {NESTING_MAX}"
        if problem := _name_problem(token):
            return problem
    try:
        _compile(expression)
    except (ValueError, RuntimeError, TypeError) as error:
        return str(error).splitlines()[0]
    return None


def evaluate(expression: str, variables: Mapping[str, object]) -> tuple[bool, str]:
    """Whether the expression is true, and if it could not be evaluated, why.

    An error, or a result that is neither true nor false, counts as not true.
    """
    try:
        result = _compile(expression).execute(dict(variables))
    except (ValueError, RuntimeError, TypeError, ArithmeticError, LookupError) as error:
        return False, str(error).splitlines()[0]
    if not isinstance(result, bool):
        return False, f"the expression gives {type(result).__name__}, not true or false"
    return result, ""


def _name_problem(token: re.Match[str]) -> str | None:
    if token["member"]:
        name = token["member"].lstrip(". \t")
        if not token["member_call"]:
            return f"“.{name}”: there are no fields here"
        return None if name in FUNCTIONS else f"the function “{name}” may not be used"
    if (name := token["name"]) is None:
        return None
    if token["call"]:
        return None if name in FUNCTIONS else f"the function “{name}” may not be used"
    if name in VARIABLES or name in _WORDS:
        return None
    return f"“{name}” is not a measure"


@cache
def _compile(expression: str) -> Any:  # noqa: ANN401 - the library has no types
    # Imported late: most packs have no expression, and the command line starts faster without.
    return importlib.import_module("cel").compile(expression)
