"""What an editor shows for a config, in our own types.

Invariant: pure. Every function takes what it needs and returns values with spans.
"""
