"""A simulated bank: payment files in, its own messages out, on business days and not before.

It speaks ISO 20022 as banks do: `POST /payments` takes a pain.001, `GET /mailbox` lists what it has
to say (pain.002, camt.054, camt.053, pacs.004) and keeps it there. Nothing of the adapter is known
here, so that each can judge the other.
"""
