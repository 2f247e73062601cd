"""Every server-side threat as a named fault.

Invariant: a fault is one function on a Scenario; its name and title are the function's own.
"""

from . import api as api
from . import binding as binding
from . import event_log as event_log
from . import handshake as handshake
from . import pccs as pccs
from . import platform as platform
from . import quote as quote
from . import quote_answer as quote_answer
from .fault import FAULTS, Fault

__all__ = ["FAULTS", "Fault"]
