"""Config text and its meaning.

Invariant: everything here is pure, and bad text is data: it gives problems, never exceptions.
"""
