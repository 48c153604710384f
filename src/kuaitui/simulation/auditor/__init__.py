"""The auditor: a second, simpler model of what must be true.

It shares no code with the contexts it judges. It reads their tables by plain SQL, reads the model
channels' own books, and knows what the world knows. `.importlinter` keeps it from importing them.
"""

from kuaitui.simulation.auditor.auditor import Auditor
from kuaitui.simulation.auditor.evidence import Evidence, Shown

__all__ = ["Auditor", "Evidence", "Shown"]
