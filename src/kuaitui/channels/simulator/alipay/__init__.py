"""Alipay's open platform, gateway "v2", simulated: an HTTP server with its own durable book.

It speaks the wire protocol (`/gateway.do` by GET and POST, RSA2 both ways, key mode and certificate
mode, notifications, bills) for one application of one merchant, and keeps money: every movement takes
an amount from one account and gives it to another, so nothing appears or disappears. Business moments
follow the channel's clock, which the director may advance.

Words are Alipay's: a *trade* is what a buyer pays; `out_request_no` numbers a refund of one trade and
`out_biz_no` a transfer; a *method* is one operation of the gateway.

Sources are the documents and clients named in the reference (§1.3, §2.2, §3) and, for the codes of
errors, copies of Alipay's own error tables. What has no source is named as such where it stands.
Texts for people (`sub_msg`) are not the institution's: nobody may read them by program.
"""
