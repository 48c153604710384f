"""The simulated bank, put together from its options."""

from __future__ import annotations

import secrets

from kuaitui.channels.simulator.bank.book import ACCOUNT, BankBook
from kuaitui.channels.simulator.bank.server import BankServer
from kuaitui.channels.simulator.faults import Fault, Rule
from kuaitui.channels.simulator.process import HOST, SimulatedChannel, SimulatorOptions, prepare
from kuaitui.channels.simulator.signing import shared_key

HOLDER = "示例市场有限公司"
CUSTOMER = "marketplace"
# What the last four digits of a payee mean in the demo.
DEMO_RULES = (
    Rule(Fault.REFUSE, tail="4001", code="AC04"),
    Rule(Fault.RETURN_LATER, tail="4002", seconds=2 * 86400, code="AC04"),
    Rule(Fault.NOTIFY_NEVER, tail="4003"),
)


def build(options: SimulatorOptions) -> SimulatedChannel:
    """The simulated bank, listening on its port."""
    book = BankBook(str(options.book), clock=lambda: options.clock().timestamp())
    prepare(book, options, demo_rules=DEMO_RULES)
    book.begin()
    server = BankServer(
        host=HOST,
        port=options.port,
        book=book,
        key=shared_key(options.key_file),
        credentials=_credentials(options),
    )
    return SimulatedChannel(book, server)


def settings_entry(options: SimulatorOptions) -> dict[str, object]:
    """What `KUAITUI_CHANNELS` says of this bank; makes the credentials that it names."""
    _credentials(options)
    return {
        "adapter": "bank",
        "transport": "http",
        "base_url": f"http://{HOST}:{options.port}",
        "payments_path": "/payments",
        "mailbox_path": "/mailbox",
        "account_number": ACCOUNT.number,
        "account_name": HOLDER,
        "bank_code": "",
        "currency": ACCOUNT.currency,
        "arrival_days": [0, 1],
        "credentials_file": str(options.keys / "credentials"),
    }


def _credentials(options: SimulatorOptions) -> str:
    """The customer's name and password, made on first use."""
    file = options.keys / "credentials"
    if not file.exists():
        options.keys.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(f"{CUSTOMER}:{secrets.token_urlsafe(24)}")
    return file.read_text().strip()
