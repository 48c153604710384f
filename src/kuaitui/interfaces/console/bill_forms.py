"""What staff fill in on the bench where bills are compared. Forms only read."""

from __future__ import annotations

from collections.abc import Iterable

from django import forms
from django.utils.translation import gettext_lazy as _

from kuaitui.channels.port import StatementKind
from kuaitui.interfaces.console import bill_words
from kuaitui.interfaces.console.forms import DayField, DecisionForm
from kuaitui.kit.channel_names import channel_choices
from kuaitui.reconciliation.types import Remedy

REASON_LENGTH_MAX = 500


class ImportForm(forms.Form):
    """Bring a bill from a file."""

    channel = forms.ChoiceField(label=_("Channel"))
    bill = forms.ChoiceField(
        label=_("Bill"), choices=[(kind.value, word) for kind, word in bill_words.BILLS.items()]
    )
    day = DayField(label=_("Day of the bill"))
    file = forms.FileField(
        label=_("File"),
        help_text=_("Exactly as the channel gave it: it is kept byte for byte."),
        allow_empty_file=True,
        error_messages={"required": _("Choose the file.")},
    )

    def __init__(self, *arguments: object, channels: Iterable[str], **named: object) -> None:
        super().__init__(*arguments, **named)  # type: ignore[arg-type]
        chooser = self.fields["channel"]
        assert isinstance(chooser, forms.ChoiceField)
        chooser.choices = channel_choices(channels)

    @property
    def kind(self) -> StatementKind:
        """The bill's kind, once the form is valid."""
        return StatementKind(self.cleaned_data["bill"])


class ProposeForm(DecisionForm):
    """Say how a break should be closed, and why."""

    remedy = forms.ChoiceField(
        choices=[(remedy.value, word) for remedy, word in bill_words.REMEDIES.items()],
        error_messages={"required": _("Choose one.")},
    )
    reason = forms.CharField(
        max_length=REASON_LENGTH_MAX,
        label=_("Why?"),
        help_text=_("Name what you looked at. Whoever confirms and every auditor reads it."),
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("Say why, in a few words.")},
    )

    @property
    def chosen_remedy(self) -> Remedy:
        """The remedy, once the form is valid."""
        return Remedy(self.cleaned_data["remedy"])


class SayWhyForm(forms.Form):
    """Say why."""

    reason = forms.CharField(
        max_length=REASON_LENGTH_MAX,
        label=_("Why?"),
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Say why, in a few words.")},
    )


class DecideFileForm(SayWhyForm):
    """Take another file for a day, or put it aside."""

    choice = forms.ChoiceField(
        choices=[
            ("take", _("Compare by this file from now on")),
            ("aside", _("Put it aside: the day keeps its file")),
        ],
        error_messages={"required": _("Choose one.")},
    )
    field_order = ("choice", "reason")
