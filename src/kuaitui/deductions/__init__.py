"""Deduction cases: nothing is taken from a deposit before its seller has been heard.

Words: a *case* announces what the marketplace wants to deduct, item by item, on which evidence and
by which clause; the *reply* is the seller's word about it, once, within the reply time; the
*decision* takes some of the items, all, or none; an *appeal* asks somebody else to look again, and
gives back some of what was taken, all, or none. A case that nobody decides *lapses*, and an
appeal that nobody answers is granted: silence of the marketplace is never paid by the seller, and
silence of the seller decides nothing.

What is announced is set aside as far as the deposit reaches, so that it can neither be paid out nor
be taken by another deduction meanwhile; the rest of the deposit stays free.

Invariants, kept by the database: legal transitions only; nothing is taken before the seller has
replied or the time to reply is over; whoever announced does not decide, and whoever announced or
decided does not decide the appeal; what was announced, replied or decided is not rewritten; what a
case says was taken is a deduction of that very sum.
"""
