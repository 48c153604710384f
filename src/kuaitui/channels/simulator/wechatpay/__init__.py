"""WeChat Pay APIv3, simulated: an HTTP server with its own durable book, for one merchant.

It speaks the wire protocol (signatures both ways, encrypted fields, encrypted notifications, bills)
and keeps money: every movement takes an amount from one account and gives it to another, so nothing
appears or disappears. Business moments follow the channel's clock, which the director may advance;
the timestamps that signatures cover follow the real one, unless told otherwise.

Sources are the documents named in the reference: pay.weixin.qq.com/doc/v3/merchant/… and the
official repositories. Texts for people (`message`) are not the institution's: nobody may read them
by program.
"""
