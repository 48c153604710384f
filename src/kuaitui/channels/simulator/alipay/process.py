"""The simulated Alipay, put together from its options."""

from __future__ import annotations

from typing import Final

from kuaitui.channels.simulator.alipay.book import AlipayBook
from kuaitui.channels.simulator.alipay.institution import Alipay
from kuaitui.channels.simulator.alipay.keys import APP_ID, CERTIFICATE_MODE, SELLER_ID, Keys
from kuaitui.channels.simulator.alipay.notices import AlipayHand
from kuaitui.channels.simulator.alipay.server import AlipayServer
from kuaitui.channels.simulator.faults import Fault, Operation, Rule
from kuaitui.channels.simulator.notifier import Notifier
from kuaitui.channels.simulator.process import HOST, SimulatedChannel, SimulatorOptions, prepare
from kuaitui.channels.simulator.signing import shared_key

DAY_S: Final = 86400.0
# What the last four characters of a buyer's id or a payee's account mean in the demo.
DEMO_RULES: Final = (
    Rule(Fault.REFUSE, tail="4001"),
    Rule(Fault.RETURN_LATER, tail="4002", seconds=2 * DAY_S),
    Rule(Fault.DROP_ANSWER, tail="4003"),
    Rule(Fault.DROP_ANSWER, Operation.QUERY, tail="4003"),
    Rule(Fault.SLOW, tail="4004", seconds=DAY_S),
    Rule(Fault.FAIL_LATER, tail="4005"),
    Rule(Fault.DROP_ANSWER, tail="4006"),
)


def build(options: SimulatorOptions) -> SimulatedChannel:
    """The simulated Alipay, listening on its port."""
    book = AlipayBook(
        str(options.book),
        clock=lambda: options.clock().timestamp(),
        default_notify_url=options.notify_url,
    )
    prepare(book, options, demo_rules=DEMO_RULES)
    keys = Keys(options.keys, now=options.clock())
    alipay = Alipay.open(book, keys)
    server = AlipayServer(
        host=HOST, port=options.port, alipay=alipay, key=shared_key(options.key_file)
    )
    notifier = Notifier(store=book, hand=AlipayHand(book, keys))
    server.notifier = notifier
    return SimulatedChannel(book, server, notifier)


def settings_entry(options: SimulatorOptions) -> dict[str, object]:
    """What `KUAITUI_CHANNELS` says of the merchant of this simulator; makes its keys."""
    keys = Keys(options.keys, now=options.clock())
    return {
        "adapter": "alipay",
        "base_url": f"http://{HOST}:{options.port}",
        "app_id": APP_ID,
        "seller_id": SELLER_ID,
        "private_key_file": str(keys.app_private_key_file),
        "app_certificate_file": str(keys.app_certificate_file),
        "alipay_root_certificate_file": str(keys.root_certificates_file),
        "alipay_certificate_files": [str(keys.current(CERTIFICATE_MODE).file)],
        "notify_url": options.notify_url or f"http://{HOST}:8000/callbacks/alipay",
        "refund_window_days": 365,
    }
