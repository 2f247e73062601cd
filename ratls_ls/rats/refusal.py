"""Why dcap_qvl refuses a quote, in this project's words.

Invariant: a refusal counts as "after the signature" only if dcap_qvl 0.7 raises it after the quote
signature verified (`verify_impl`, steps 8 to 10 and the attributes). A test holds that order.
"""

from __future__ import annotations

from dataclasses import dataclass

from .errors import foreign
from .result import ClaimName


@dataclass(frozen=True, slots=True)
class Refusal:
    """`claim` fails for `reason`. `after_signature`: what the quote says is genuine all the same.
    `status`: the TCB status that the refusal itself tells."""

    claim: ClaimName
    reason: str
    after_signature: bool = False
    status: str | None = None


_FIX_PCCS = "try another pccs_url"
_ASK_OPERATOR = "ask the server's operator to update its firmware"

_FOREIGN_QE = Refusal(
    ClaimName.QUOTE_SIGNATURE, "the quoting enclave is not Intel's; do not use this server"
)
_ALTERED = Refusal(
    ClaimName.QUOTE_SIGNATURE, "a signature in the quote does not hold: the quote was altered"
)
_COLLATERAL = Refusal(
    ClaimName.COLLATERAL, f"the collateral is malformed or not for TDX; {_FIX_PCCS}"
)
_COLLATERAL_SIGNATURE = Refusal(
    ClaimName.COLLATERAL, f"Intel's signature on the collateral does not hold; {_FIX_PCCS}"
)
_COLLATERAL_DATE = Refusal(
    ClaimName.COLLATERAL,
    f"the collateral is out of date; {_FIX_PCCS}, and check this machine's clock",
)
_MODULE = Refusal(
    ClaimName.TCB_STATUS,
    f"the platform's TDX module is unknown to Intel's TCB info or too old; {_ASK_OPERATOR}",
    after_signature=True,
)
_ATTRIBUTES = Refusal(
    ClaimName.TD_ATTRIBUTES, "an attribute of the TD is not allowed", after_signature=True
)

# dcap_qvl gives a cause as text only. The first that occurs in it decides.
_CAUSES: tuple[tuple[str, Refusal], ...] = (
    # The quoting enclave comes first: some of its causes contain those of a TD.
    ("QE report validation failed", _FOREIGN_QE),
    ("QE MRSIGNER", _FOREIGN_QE),
    ("QE ISVPRODID", _FOREIGN_QE),
    ("QE MISCSELECT", _FOREIGN_QE),
    ("QE ATTRIBUTES", _FOREIGN_QE),
    (
        "QE ISVSVN",
        Refusal(
            ClaimName.TCB_STATUS,
            f"the quoting enclave is older than any that Intel still lists; {_ASK_OPERATOR}",
        ),
    ),
    ("QE report hash mismatch", _ALTERED),
    ("Signature is invalid for qe_report", _ALTERED),
    ("ISV enclave report signature", _ALTERED),
    ("Signature is invalid for", _COLLATERAL_SIGNATURE),
    ("Invalid key length", _COLLATERAL_SIGNATURE),
    ("Failed to decode TcbInfo", _COLLATERAL),
    ("Failed to parse TCB Info", _COLLATERAL),
    ("Failed to decode QeIdentity", _COLLATERAL),
    ("Failed to parse QE Identity", _COLLATERAL),
    (
        "UnknownRevocationStatus",
        Refusal(
            ClaimName.COLLATERAL,
            f"the PCK CRL is not of the authority that certified the platform; {_FIX_PCCS}",
        ),
    ),
    ("Unsupported QE Identity", _COLLATERAL),
    ("TCB levels found in QE Identity", _COLLATERAL),
    ("non-TDX TCB info", _COLLATERAL),
    ("component count mismatch", _COLLATERAL),
    ("Unrecognized TCB status", _COLLATERAL),
    ("CrlExpired", _COLLATERAL_DATE),
    ("TCBInfo expired", _COLLATERAL_DATE),
    ("QE Identity expired", _COLLATERAL_DATE),
    ("is in the future", _COLLATERAL_DATE),
    (
        "CertRevoked",
        Refusal(
            ClaimName.QUOTE_SIGNATURE,
            "Intel revoked a certificate that the quote rests on (PCK, its issuer or the TCB "
            "signer); do not use this server",
        ),
    ),
    (
        "CertExpired",
        Refusal(
            ClaimName.QUOTE_SIGNATURE,
            "the platform's certificate (PCK) expired; ask the server's operator to renew it",
        ),
    ),
    (
        "CertNotValidYet",
        Refusal(
            ClaimName.QUOTE_SIGNATURE,
            "the platform's certificate (PCK) is from the future: is this machine's clock right?",
        ),
    ),
    (
        "Fmspc mismatch",
        Refusal(
            ClaimName.QUOTE_SIGNATURE,
            f"the collateral is for another platform (FMSPC); {_FIX_PCCS}",
        ),
    ),
    (
        "TCB status is invalid: Revoked",
        Refusal(
            ClaimName.TCB_STATUS,
            "Intel revoked this platform's TCB; no policy can allow it: do not use this server",
            after_signature=True,
            status="Revoked",
        ),
    ),
    (
        "No matching TCB level",
        Refusal(
            ClaimName.TCB_STATUS,
            "the platform is unknown: too old for every TCB level that Intel still lists; "
            f"{_ASK_OPERATOR}",
            after_signature=True,
        ),
    ),
    (
        "TDX module SEAMATTRIBUTES",
        Refusal(
            ClaimName.TD_ATTRIBUTES,
            "the platform runs its TDX module with attributes that Intel does not list",
            after_signature=True,
        ),
    ),
    ("TDX module", _MODULE),
    ("Debug mode is enabled", _ATTRIBUTES),
    ("TD profiling is enabled", _ATTRIBUTES),
    ("Reserved bits in TD attributes", _ATTRIBUTES),
    ("TD migration is enabled", _ATTRIBUTES),
    ("SERVTD_EXT is enabled", _ATTRIBUTES),
    ("SEPT_VE_DISABLE is not enabled", _ATTRIBUTES),
    ("Invalid MR service TD", _ATTRIBUTES),
)

# Either side may be the one whose chain does not end at the root.
_CHAIN = (
    "UnknownIssuer",
    "InvalidSignatureForPublicKey",
    "InvalidCrlSignatureForPublicKey",
    "Failed to parse root CA CRL",
    "too short",
)
FOREIGN_ROOT = Refusal(
    ClaimName.QUOTE_SIGNATURE,
    "the quote's certificates do not lead to a trusted DCAP root (Intel's): a simulation or a "
    "forgery",
)
_FOREIGN_COLLATERAL = Refusal(
    ClaimName.COLLATERAL, f"the collateral does not lead to a trusted DCAP root; {_FIX_PCCS}"
)


OTHER_PCE = Refusal(
    ClaimName.COLLATERAL, f"the collateral is for another platform (PCE ID); {_FIX_PCCS}"
)


def understand(cause: str, *, chain_leads_to_root: bool) -> Refusal:
    """The refusal that dcap_qvl's text means. `chain_leads_to_root`: that of the quote."""
    for sign, refusal in _CAUSES:
        if sign in cause:
            return refusal
    if any(sign in cause for sign in _CHAIN):
        return _FOREIGN_COLLATERAL if chain_leads_to_root else FOREIGN_ROOT
    if "Failed to parse PCK CRL" in cause:
        return _COLLATERAL
    detail = foreign(cause.removeprefix("Verification failed: "))
    return Refusal(ClaimName.QUOTE_SIGNATURE, f"the quote does not verify: {detail}")
