"""The command line: parses arguments, runs one command, prints its outcome.

Invariant: exit 0 means yes, 1 means no, 2 means that the question could not be answered.
"""
