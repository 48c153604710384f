"""Stripe, for those who install `kuaitui[stripe]`: a payment page, and refunds along the payment.

Words: a *session* is one payment page (Checkout); the *number* is ours and stands in the metadata of
whatever Stripe makes for us, since that is how it is found again.

Invariants: `import stripe` happens in this package only; a number is sent again only while Stripe
remembers its idempotency key (24 hours), and is only asked about later. Stripe pays out to the bank
account of its own merchant and to connected accounts, not to a seller's account, so no designated
route is declared; nor are bills, since Stripe makes none as a file.

Source: reference §1.5.
"""

from kuaitui.channels.stripe.channel import StripeChannel
from kuaitui.channels.stripe.settings import StripeSettings

__all__ = ["StripeChannel", "StripeSettings"]
