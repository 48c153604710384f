"""A refusal in a seller's words; with its figures where they say what to do."""

from __future__ import annotations

from django.template.loader import render_to_string
from django.utils.translation import gettext

from kuaitui.deposits.errors import PartTooLarge, PartTooSmall
from kuaitui.kernel.errors import Refusal


def in_words(refusal: Refusal) -> str:
    """What a person is told, translated."""
    if not isinstance(refusal, (PartTooSmall, PartTooLarge)):
        return gettext(refusal.message)
    figures = {"is_too_small": isinstance(refusal, PartTooSmall), **refusal.details}
    return render_to_string("portal/part_refused.html", figures).strip()
