"""Who logs in, in which role, and which shops a seller may see.

Words: a *user* logs in; a *role* is what the user is, one for each user, so nobody can hold two that
must stay apart; a *membership* ties a seller to a shop; a *permission* is one thing a view or call
may do; a *viewer* is a user as the rest of the system sees one.

Always true: only sellers hold memberships, no seller has a staff permission, a one-time link opens
the door once.
"""
