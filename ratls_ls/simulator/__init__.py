"""A simulated TEE provider on loopback: own PKI, own quotes, own PCCS, real TLS 1.3.

Invariant: nothing that appraises imports this. Its evidence rests on a root that is not Intel's,
so whatever is affirmed with it says that it is simulated.
"""
