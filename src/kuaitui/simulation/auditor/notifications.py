"""Was everything that channels told us written down once, and everything forged refused?"""

from __future__ import annotations

from collections.abc import Iterator

from kuaitui.simulation.auditor.evidence import Ask, Evidence, Found

_TAKEN = """
SELECT channel, count(*), count(*) + sum(repeats_count), count(*) FILTER (WHERE taken_at IS NULL)
FROM kit_notification GROUP BY channel
"""
_REFUSED = """
SELECT channel, sum(refused_count)::bigint FROM kit_notifications_refused GROUP BY channel
"""


def miscounted_notifications(ask: Ask, evidence: Evidence) -> Iterator[Found]:
    """Events that are missing or kept twice, repetitions and forgeries that were not counted."""
    taken = {channel: counts for channel, *counts in ask(_TAKEN)}
    refused: dict[str, int] = dict(ask(_REFUSED))
    for channel, heard in evidence.heard.items():
        events, deliveries, untaken = taken.get(channel, [0, 0, 0])
        if (events, deliveries) != (len(heard.events), heard.genuine):
            yield (
                "an event is kept once, its repetitions are counted",
                f"{channel}: {events} of {len(heard.events)}, {deliveries} of {heard.genuine}",
            )
        if untaken:
            yield "what a channel tells is acted on", f"{channel}: {untaken} are not"
        if refused.get(channel, 0) != heard.refused:
            yield (
                "what is forged is refused and counted",
                f"{channel}: {refused.get(channel, 0)} of {heard.refused}",
            )
