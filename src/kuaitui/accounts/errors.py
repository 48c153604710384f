"""Why accounts say no."""

from __future__ import annotations

from kuaitui.kernel.errors import Refusal, RefusalKind


class UserUnknown(Refusal):
    """There is no such user."""

    code = "accounts.user_unknown"
    kind = RefusalKind.NOT_FOUND


class UsernameInvalid(Refusal):
    """A user name has 1 to 80 letters, digits or the signs . _ - @ and no spaces."""

    code = "accounts.username_invalid"


class UsernameTaken(Refusal):
    """This user name is taken. Choose another."""

    code = "accounts.username_taken"
    kind = RefusalKind.CONFLICT


class DisplayNameInvalid(Refusal):
    """A display name has 1 to 120 characters and no line breaks."""

    code = "accounts.display_name_invalid"


class PasswordTooWeak(Refusal):
    """Choose a longer password that is not on the list of common ones."""

    code = "accounts.password_too_weak"


class NotASeller(Refusal):
    """Only a seller can be given a shop."""

    code = "accounts.not_a_seller"
    kind = RefusalKind.CONFLICT


class TooManyShops(Refusal):
    """One seller's log-in holds 200 shops at most. Make another log-in for the rest."""

    code = "accounts.too_many_shops"
    kind = RefusalKind.LIMIT


class LinkUnknown(Refusal):
    """This link is not valid. Check that it was copied whole, or ask for a new one."""

    code = "accounts.link_unknown"
    kind = RefusalKind.NOT_FOUND


class LinkUsed(Refusal):
    """This link has been used already. Each link logs in once; ask for a new one."""

    code = "accounts.link_used"
    kind = RefusalKind.CONFLICT


class LinkExpired(Refusal):
    """This link has expired. Ask for a new one."""

    code = "accounts.link_expired"
    kind = RefusalKind.CONFLICT
