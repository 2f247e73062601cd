"""A simulated TEE provider on loopback: own PKI, own quotes, own PCCS, real TLS 1.3.

Invariant: nothing that appraises imports this. Its evidence rests on a root that is not Intel's,
so whatever is affirmed with it says that it is simulated.
"""

from .faults import FAULTS, Fault
from .openai import OpenAi
from .pki import Pki, shared_pki
from .provider import SimulatedProvider, serve
from .quote import Body
from .record import Record, RecordedConnection, RecordedRequest

__all__ = [
    "FAULTS",
    "Body",
    "Fault",
    "OpenAi",
    "Pki",
    "Record",
    "RecordedConnection",
    "RecordedRequest",
    "SimulatedProvider",
    "serve",
    "shared_pki",
]
