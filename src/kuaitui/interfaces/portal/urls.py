"""The routes of these pages."""

from django.urls import URLPattern, URLResolver, include, path

from kuaitui.interfaces.portal.views import (
    acts,
    apply,
    deductions,
    destinations,
    eligibility,
    health,
    home,
    notices,
    pay_in,
    progress,
    session,
    shops,
    statement,
    wechat,
)

_application: list[URLPattern | URLResolver] = [
    path("submitted", progress.submitted, name="submitted"),
    path("withdraw", acts.withdraw, name="withdraw"),
    path("answer", acts.answer, name="answer"),
    path("appeal", acts.appeal, name="appeal"),
    path("destination", acts.repair, name="repair"),
]
_deposit: list[URLPattern | URLResolver] = [
    path("eligibility", eligibility.eligibility, name="eligibility"),
    path("reminder", eligibility.reminder, name="reminder"),
    path("refund", apply.apply, name="apply"),
    path("refund/destination", apply.apply_destination, name="apply_destination"),
    path("refund/check", apply.apply_check, name="apply_check"),
    path("pay-in", pay_in.pay_in, name="pay_in"),
    path("statement.csv", statement.statement_file, name="statement_file"),
]
_order: list[URLPattern | URLResolver] = [
    path("look", pay_in.look_again, name="pay_in_look"),
    path("call-off", pay_in.call_off, name="pay_in_call_off"),
]
_shop: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("eligibility", eligibility.first_eligibility, name="first_eligibility"),
    path("refund", apply.first_apply, name="first_apply"),
    path("refunds/", progress.progress_list, name="progress_list"),
    path("refunds/<str:application_id>", progress.progress, name="progress"),
    path("refunds/<str:application_id>/", include(_application)),
    path("deposits/<str:account_id>/", include(_deposit)),
    path("pay-ins/<str:order_id>", pay_in.pay_in_order, name="pay_in_order"),
    path("pay-ins/<str:order_id>/", include(_order)),
    path("receipts/<str:lot_id>", pay_in.receipt, name="receipt"),
    path("statement", statement.statement, name="statement"),
    path("deductions", deductions.deductions, name="deductions"),
    path("deductions/<str:case_id>", deductions.case_page, name="deduction"),
    path("deductions/<str:case_id>/reply", deductions.reply, name="deduction_reply"),
    path("deductions/<str:case_id>/appeal", deductions.appeal, name="deduction_appeal"),
    path("messages", notices.notices, name="notices"),
    path("mine", shops.mine, name="mine"),
    path("accounts/new", destinations.destination_new, name="destination_new"),
    path("accounts/new/alipay", destinations.alipay_new, name="alipay_new"),
    path("accounts/new/wechat", wechat.wechat_new, name="wechat_new"),
]
urlpatterns: list[URLPattern | URLResolver] = [
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("healthz", health.healthz, name="healthz"),
    path("login", session.log_in, name="log_in"),
    path("logout", session.log_out, name="log_out"),
    path("link/<str:token>", session.one_time_link, name="one_time_link"),
    path("language", session.language, name="language"),
    path("", shops.start, name="start"),
    path("shops/<str:shop_id>/", include(_shop)),
]
