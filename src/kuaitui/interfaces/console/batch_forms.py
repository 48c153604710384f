"""What staff fill in about batches and banks' files. Forms only read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from kuaitui.channels.bank import BatchFormat
from kuaitui.kit.channel_names import channel_choices
from kuaitui.payouts.queries import LegInBatch

FILE_BYTES_MAX: Final = 8 * 1024 * 1024
FINDING_LENGTH_MAX: Final = 500


class BuildForm(forms.Form):
    """Which waiting payouts go into a batch: those that are ticked, or everything."""

    everything = forms.BooleanField(required=False, widget=forms.HiddenInput)
    legs = forms.MultipleChoiceField(required=False, label=_("Payouts in this batch"))

    def __init__(self, *arguments: Any, legs: Sequence[LegInBatch], **named: Any) -> None:  # noqa: ANN401
        super().__init__(*arguments, **named)
        self.fields["legs"].choices = [(leg.leg_id, leg.leg_id) for leg in legs]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Nothing ticked is a mistake, not everything."""
        cleaned: dict[str, Any] = super().clean() or {}
        if not (cleaned.get("everything") or cleaned.get("legs")) and "legs" not in self.errors:
            self.add_error("legs", _("Choose at least one payout."))
        return cleaned


class ReleaseForm(forms.Form):
    """A release binds to the batch as the person saw it."""

    content_hash = forms.CharField(max_length=64, widget=forms.HiddenInput)
    has_compared = forms.BooleanField(
        label=_("I have compared count, total and day"),
        error_messages={"required": _("Compare count, total and day, then tick the box.")},
    )


class TakeForm(forms.Form):
    """In which form the batch's file is taken, and after a restore what the bank has of it."""

    form = forms.ChoiceField(choices=[(form.value, form.value) for form in BatchFormat])
    finding = forms.CharField(
        required=False, max_length=FINDING_LENGTH_MAX, label=_("What you found at the bank")
    )


class BringForm(forms.Form):
    """A file that a bank gave us."""

    channel = forms.ChoiceField(label=_("Channel"))
    file = forms.FileField(
        label=_("File of the bank"),
        help_text=_(
            "A table of results (CSV, UTF-8), or pain.002, camt.053, camt.054 or pacs.004 as XML."
        ),
        error_messages={
            "required": _("Choose the bank’s file."),
            "empty": _("Choose a file that is not empty."),
        },
    )

    def __init__(self, *arguments: Any, channels: Sequence[str], **named: Any) -> None:  # noqa: ANN401
        super().__init__(*arguments, **named)
        self.fields["channel"].choices = channel_choices(channels)  # type: ignore[attr-defined]

    def clean_file(self) -> Any:  # noqa: ANN401 - Django's upload
        """No bank's message is that large."""
        upload = self.cleaned_data["file"]
        if upload.size > FILE_BYTES_MAX:
            raise forms.ValidationError(_("The file is larger than 8 MiB. Split it at the bank."))
        return upload
