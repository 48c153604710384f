"""What staff fill in about a payment that its channel holds for a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from kuaitui.deposits.types import Destination


class CallBackForm(forms.Form):
    """Call a payment back, with a reason."""

    reason = forms.CharField(
        max_length=200,
        label=_("Why?"),
        help_text=_("Colleagues and the audit trail see it."),
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Say why, in a few words.")},
    )


class HandOverForm(CallBackForm):
    """Choose where a stuck refund goes."""

    destination = forms.ChoiceField(
        label=_("Bank account"),
        error_messages={"required": _("Choose an account.")},
    )
    field_order = ("destination", "reason")

    def __init__(self, *arguments: Any, accounts: Sequence[Destination], **named: Any) -> None:  # noqa: ANN401
        super().__init__(*arguments, **named)
        choices = [(one.destination_id, f"{one.bank_name} •••• {one.tail4}") for one in accounts]
        self.fields["destination"].choices = choices  # type: ignore[attr-defined]
