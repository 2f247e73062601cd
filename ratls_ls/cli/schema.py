"""`ratls-ls schema`: JSON Schema of the config."""

from __future__ import annotations

import argparse
import json
import sys

from ratls_ls.config.schema import schema as config_schema

from .exits import EXIT_YES


def schema(_options: argparse.Namespace) -> int:
    json.dump(config_schema(), sys.stdout, indent=2)
    print()
    return EXIT_YES
