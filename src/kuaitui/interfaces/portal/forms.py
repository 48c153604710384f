"""What sellers type. Forms only read; whether it may be done is the contexts' to say."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING

from django import forms
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

from kuaitui.deductions.types import Reply
from kuaitui.deposits.types import PayInChoice
from kuaitui.interfaces.portal.refusals import in_words
from kuaitui.kernel.errors import Refusal
from kuaitui.kernel.money import Money
from kuaitui.refunds.rules import NOTE_LENGTH_MAX, TEXT_LENGTH_MAX
from kuaitui.refunds.types import AmountChoice, Draft, Reason


def show_refusal(form: forms.Form, refusal: Refusal, fields: Mapping[str, str]) -> None:
    """Put a refusal next to the field it is about; one that is about none stands on top.

    `fields` maps a refusal's code to the name of a field.
    """
    form.add_error(fields.get(refusal.code), in_words(refusal))


def text_area(
    label: str | StrPromise, *, length_max: int, is_required: bool, rows: int = 4
) -> forms.CharField:
    """A field for a few sentences, limited in length."""
    return forms.CharField(
        label=label,
        required=is_required,
        max_length=length_max,
        widget=forms.Textarea({"rows": rows}),
    )


class PayeeForm(forms.Form):
    """Who is paid, and where to go back to. By itself: a payee whom their channel has named."""

    holder_name = forms.CharField(
        label=_("Account holder"),
        required=False,
        max_length=200,
        widget=forms.TextInput({"autocomplete": "name"}),
    )
    back = forms.CharField(required=False, max_length=300, widget=forms.HiddenInput())


class DestinationForm(PayeeForm):
    """A payee account, as it stands on the card or in the contract with the bank."""

    bank_name = forms.CharField(label=_("Bank"), required=False, max_length=200)
    account_number = forms.CharField(
        label=_("Account number"),
        required=False,
        max_length=100,
        widget=forms.TextInput(
            {
                "class": "input-code",
                "inputmode": "numeric",
                "autocomplete": "off",
                "spellcheck": "false",
            }
        ),
    )
    bank_code = forms.CharField(
        label=_("Interbank number of the branch"),
        help_text=_("Optional. 12 digits (联行号), or a BIC. The bank's app or contract shows it."),
        required=False,
        max_length=40,
        widget=forms.TextInput(
            {"class": "input-code", "autocomplete": "off", "spellcheck": "false"}
        ),
    )
    is_company = forms.BooleanField(label=_("This is a company's account"), required=False)


DESTINATION_FIELDS = {
    "destination.holder_name_missing": "holder_name",
    "destination.holder_name_too_long": "holder_name",
    "destination.bank_name_missing": "bank_name",
    "destination.bank_name_too_long": "bank_name",
    "destination.account_number_missing": "account_number",
    "destination.account_number_not_digits": "account_number",
    "destination.account_number_too_short": "account_number",
    "destination.account_number_too_long": "account_number",
    "destination.account_number_mistyped": "account_number",
    "destination.bank_code_mistyped": "bank_code",
    "destination.alipay_account_missing": "account_number",
    "destination.alipay_account_mistyped": "account_number",
}


class AlipayForm(PayeeForm):
    """An Alipay account, by what its owner logs in with."""

    account_number = forms.CharField(
        label=_("Alipay account"),
        required=False,
        max_length=200,
        widget=forms.TextInput(
            {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )


class ApplyForm(forms.Form):
    """How much, and why."""

    choice = forms.ChoiceField(
        label=_("How much"),
        choices=[(choice.value, choice.value) for choice in AmountChoice],
        widget=forms.RadioSelect(),
        error_messages={"required": _("Choose how much you want back.")},
    )
    amount = forms.CharField(
        label=_("Amount"),
        required=False,
        max_length=60,
        widget=forms.TextInput(
            {"class": "input-amount", "inputmode": "decimal", "autocomplete": "off"}
        ),
    )
    reason = forms.ChoiceField(
        label=_("Why"),
        choices=[(reason.value, reason.value) for reason in Reason],
        widget=forms.RadioSelect(),
        error_messages={"required": _("Choose a reason. It only helps us to understand.")},
    )
    note = text_area(
        _("Anything we should know (optional)"),
        length_max=NOTE_LENGTH_MAX,
        is_required=False,
        rows=3,
    )

    def amount_asked(self, currency: str) -> Money | None:
        """The amount typed, if the choice needs one.

        Raises:
            AmountUnreadable, AmountTooPrecise, AmountTooLarge: it cannot be read.
        """
        typed = self.cleaned_data["amount"].strip()
        if self.cleaned_data["choice"] != AmountChoice.PART or not typed:
            return None
        return Money.parse_typed(typed, currency)


AMOUNT_FIELDS = {
    "money.amount_unreadable": "amount",
    "money.amount_too_precise": "amount",
    "money.amount_too_large": "amount",
    "refund.amount_missing": "amount",
    "refund.amount_not_positive": "amount",
    "refund.amount_above_refundable": "amount",
    "refund.amount_currency_wrong": "amount",
    "refund.note_too_long": "note",
    "refund.nothing_refundable": "choice",
    "refund.not_eligible": "choice",
    "deposit.part_too_small": "choice",
    "deposit.part_too_large": "choice",
}


class SendForm(forms.Form):
    """Everything the last page showed, hidden, so that exactly this is sent.

    `request_key` names this one sending: the same form sent twice is one application. `seen` is what
    the page said it comes to.
    """

    choice = forms.TypedChoiceField(
        choices=[(choice.value, choice.value) for choice in AmountChoice], coerce=AmountChoice
    )
    amount = forms.CharField(required=False, max_length=60)
    reason = forms.TypedChoiceField(
        choices=[(reason.value, reason.value) for reason in Reason], coerce=Reason
    )
    note = forms.CharField(required=False, max_length=NOTE_LENGTH_MAX)
    destination = forms.CharField(required=False, max_length=40)
    request_key = forms.CharField(min_length=16, max_length=64)
    seen = forms.CharField(required=False, max_length=2000)

    @classmethod
    def of_draft(cls, draft: Draft, *, request_key: str = "") -> SendForm:
        """What was typed so far, ready to be looked at and sent."""
        form = cls(
            {
                "choice": draft.choice,
                "amount": f"{draft.amount.to_decimal():f}" if draft.amount else "",
                "reason": draft.reason,
                "note": draft.note,
                "destination": draft.destination_id,
                "request_key": request_key or secrets.token_urlsafe(24),
            }
        )
        form.full_clean()
        return form

    @property
    def choice_made(self) -> AmountChoice:
        """How much is asked."""
        return AmountChoice(self.cleaned_data["choice"])

    def amount_asked(self, currency: str) -> Money | None:
        """The amount typed, if there is one."""
        typed = self.cleaned_data["amount"]
        return Money.parse_typed(typed, currency) if typed else None

    def as_shown(self, *, seen: str) -> list[tuple[str, str]]:
        """The hidden fields of the page."""
        held = [(name, str(self.cleaned_data.get(name, ""))) for name in self.fields]
        return [(name, seen if name == "seen" else value) for name, value in held]


class PayInForm(forms.Form):
    """How much to pay in, and how. `request_key` makes the same form sent twice one payment."""

    choice = forms.ChoiceField(
        label=_("How much to pay"),
        choices=[(choice.value, choice.value) for choice in PayInChoice],
        widget=forms.RadioSelect(),
        error_messages={"required": _("Choose how much you want to pay.")},
    )
    amount = forms.CharField(
        label=_("Amount"),
        required=False,
        max_length=60,
        widget=forms.TextInput(
            {"class": "input-amount", "inputmode": "decimal", "autocomplete": "off"}
        ),
    )
    way = forms.CharField(
        label=_("How to pay"),
        max_length=80,
        error_messages={"required": _("Choose how you want to pay.")},
    )
    request_key = forms.CharField(min_length=16, max_length=64, widget=forms.HiddenInput())

    def amount_asked(self, currency: str) -> Money | None:
        """The amount typed, if the choice needs one.

        Raises:
            AmountUnreadable, AmountTooPrecise, AmountTooLarge: it cannot be read.
        """
        typed = self.cleaned_data["amount"].strip()
        if self.cleaned_data["choice"] != PayInChoice.OTHER or not typed:
            return None
        return Money.parse_typed(typed, currency)


PAY_IN_FIELDS = {
    "money.amount_unreadable": "amount",
    "money.amount_too_precise": "amount",
    "money.amount_too_large": "amount",
    "deposit.amount_not_positive": "amount",
    "pay_in.amount_missing": "amount",
    "pay_in.amount_too_large": "amount",
    "pay_in.nothing_missing": "choice",
    "pay_in.way_unavailable": "way",
    "channel.unknown": "way",
    "channel.cannot": "way",
}


class TextForm(forms.Form):
    """A few sentences: an answer or an appeal."""

    text = text_area(_("Your words"), length_max=TEXT_LENGTH_MAX, is_required=True, rows=6)


class ReplyForm(forms.Form):
    """What a seller says to a deduction: agree, or object and say why."""

    reply = forms.ChoiceField(
        choices=[(one.value, one.value) for one in Reply],
        error_messages={"required": _("Choose one.")},
    )
    text = text_area(_("Your words"), length_max=TEXT_LENGTH_MAX, is_required=False, rows=6)


class ChooseDestinationForm(forms.Form):
    """Which account the money goes to; empty is the way it came."""

    destination = forms.CharField(required=False, max_length=40)


class AnswerForm(TextForm, ChooseDestinationForm):
    """An answer; an account may come with it."""
