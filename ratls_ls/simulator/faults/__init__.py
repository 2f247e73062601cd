"""Every server-side threat as a named fault.

Invariant: a fault is one function on a Scenario; its name and title are the function's own.
"""

from . import binding as binding
from .fault import FAULTS, Fault

__all__ = ["FAULTS", "Fault"]
