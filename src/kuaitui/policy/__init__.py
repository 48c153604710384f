"""Eligibility that explains itself: pure Python, no Django, no clock.

Words: *facts* are what is reported about a shop; *terms* are one version of a policy pack; a
*measure* is a figure or a moment drawn from facts; a *condition* is an expression over measures;
a *finding* is a condition looked at; an *assessment* is all findings, the refundable amount and
the earliest date.

Invariants: one definition of a condition serves the single explanation and the bulk run; an open
order, dispute or violation more never makes anyone more eligible; what cannot be evaluated fails.
"""

from __future__ import annotations

from kuaitui.policy.assessment import assess
from kuaitui.policy.facts import facts_to_json, parse_facts
from kuaitui.policy.packs import load_pack

__all__ = ["assess", "facts_to_json", "load_pack", "parse_facts"]
