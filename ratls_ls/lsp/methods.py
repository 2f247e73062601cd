"""The custom methods: their names and error codes. `editor/vscode/src/methods.ts` mirrors it."""

from __future__ import annotations

from ratls_ls.config.words import printable

ATTESTED_REQUEST = "attestedRequest"
ATTESTATION_STATUS = "attestationStatus"
ATTESTATION_STATUS_CHANGED = "attestationStatus/changed"

ATTEST_COMMAND = "ratls.attest"
PIN_MEASUREMENTS_COMMAND = "ratls.pinMeasurements"
CLEAR_CACHE_COMMAND = "ratls.clearCache"

INVALID_PARAMS = -32602
REQUEST_CANCELLED = -32800
ATTESTATION_REJECTED = -32010
PROVIDER_NOT_ATTESTED = -32011
INVALID_POLICY = -32012
UNREACHABLE = -32013
UNTRUSTED = -32014
BROKEN_RESPONSE = -32015


class MethodError(Exception):
    """The error answer to a custom method. `data` is its JSON data."""

    def __init__(self, code: int, message: str, data: object = None) -> None:
        super().__init__(printable(message))
        self.code = code
        self.message = printable(message)
        self.data = data


def invalid_params(where: str, why: str) -> MethodError:
    """-32602, saying where and why; never what the value was."""
    return MethodError(INVALID_PARAMS, f"{where}: {why}", {"where": where, "why": why})
