"""The routes of these pages."""

from django.urls import URLPattern, URLResolver, path

from kuaitui.interfaces.console.views import (
    bank_messages,
    batches,
    bills,
    breaks,
    cases,
    controls,
    decide,
    payouts,
    queue,
    suspense,
    work,
)

app_name = "console"
_CASE = "applications/<str:application_id>"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", work.work, name="work"),
    path("applications", queue.show, name="queue"),
    path(_CASE, cases.show, name="case"),
    path(f"{_CASE}/approve", decide.approve, name="approve"),
    path(f"{_CASE}/confirm", decide.confirm, name="confirm"),
    path(f"{_CASE}/send-back", decide.send_back, name="send_back"),
    path(f"{_CASE}/ask", decide.ask, name="ask"),
    path(f"{_CASE}/reject", decide.reject, name="reject"),
    path(f"{_CASE}/appeal", decide.appeal, name="appeal"),
    path(f"{_CASE}/refuse-account", decide.refuse_repair, name="refuse_repair"),
    path(f"{_CASE}/check-account", decide.verify, name="verify"),
    path("batches", batches.show_all, name="batches"),
    path("batches/build/<str:bank_name>", batches.build, name="build_batch"),
    path("batches/<str:batch_id>", batches.show, name="batch"),
    path("batches/<str:batch_id>/release", batches.release, name="release_batch"),
    path("batches/<str:batch_id>/call-off", batches.call_off, name="call_off_batch"),
    path("batches/<str:batch_id>/file", batches.take_file, name="batch_file"),
    path("bank-messages", bank_messages.show_all, name="bank_messages"),
    path("bank-messages/bring", bank_messages.bring, name="bring_bank_message"),
    path("bank-messages/<int:message_no>", bank_messages.show, name="bank_message"),
    path(
        "bank-messages/<int:message_no>/confirm", bank_messages.confirm, name="confirm_bank_message"
    ),
    path("bills", bills.show_board, name="bills"),
    path("bills/import", bills.bring, name="bring_bill"),
    path("bills/files/<str:file_id>", bills.decide, name="decide_bill"),
    path("bills/<str:channel>/<str:day>", bills.show_day, name="bill_day"),
    path("breaks/<str:break_id>", breaks.show, name="break"),
    path("breaks/<str:break_id>/propose", breaks.propose, name="propose_closing"),
    path("breaks/<str:break_id>/confirm", breaks.confirm, name="confirm_closing"),
    path("breaks/<str:break_id>/take-back", breaks.take_back, name="take_proposal_back"),
    path("suspense", suspense.show, name="suspense"),
    path("suspense/<str:suspense_id>", suspense.case_page, name="suspense_case"),
    path("suspense/<str:suspense_id>/propose", suspense.propose, name="suspense_propose"),
    path("suspense/<str:suspense_id>/decide", suspense.decide, name="suspense_decide"),
    path("suspense/<str:suspense_id>/sent-back", suspense.sent_back, name="suspense_sent_back"),
    path("payouts", payouts.monitor, name="payouts"),
    path("payouts/stop", payouts.stop, name="stop"),
    path("payouts/resume", payouts.resume, name="resume"),
    path("payouts/controls", controls.show, name="controls"),
    path("payouts/controls/hold", controls.hold, name="hold"),
    path("payouts/controls/propose-release", controls.propose_release, name="propose_release"),
    path("payouts/controls/confirm-release", controls.confirm_release, name="confirm_release"),
    path("payouts/controls/limits", controls.propose_limit, name="propose_limit"),
    path("payouts/controls/limits/<int:limit_id>", controls.confirm_limit, name="confirm_limit"),
    path("payouts/controls/balance", controls.note_balance, name="note_balance"),
    path("payouts/<str:leg_id>", payouts.leg_page, name="leg"),
    path("payouts/<str:leg_id>/put-back", payouts.put_back, name="put_back"),
    path("payouts/<str:leg_id>/ask", payouts.ask_channel, name="ask_channel"),
]
