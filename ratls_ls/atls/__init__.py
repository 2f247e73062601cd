"""Attested TLS: connections that carry a request only after their own appraisal affirmed them.

Invariant: every byte but the quote request is written to a socket that was itself appraised.
"""
