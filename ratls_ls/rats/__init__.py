"""RATS (RFC 9334): from evidence to an attestation result.

Invariant: everything here is pure. No I/O, no clock, no network; `now` is passed in.
"""
