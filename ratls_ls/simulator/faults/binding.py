"""Evidence that belongs to another TLS session than the one it is shown on."""

from __future__ import annotations

from ratls_ls.rats.result import ClaimName
from ratls_ls.simulator.scenario import Scenario

from .fault import rejected


@rejected(ClaimName.CHANNEL_BINDING, 1, 9, 12)
def relay(scenario: Scenario) -> None:
    """an attacker with the provider's certificate relays the quote of the genuine server"""
    scenario.relay = True
