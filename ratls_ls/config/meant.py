"""What a key that nobody knows was probably meant to be.

Invariant: a guess has the type of the value that stands there, so that following it makes no other
error; but what bears on attestation is asked by its name, whatever its value is, as the switch is,
so that a wrong type hides nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .keys import PROVIDER, RATLS_POLICY, KeyModel
from .kinds import fits, truth_of
from .toml.values import Scalar, Table, Value, string_of, strings
from .words import nearest

Path = tuple[str, ...]
"""A key by its names under the provider, e.g. ("ratls_policy", "pccs_url")."""

_POLICY = (RATLS_POLICY.name,)
_SWITCH = ("use_ratls",)
_PCCS_URL = (*_POLICY, "pccs_url")
_STATUSES = (*_POLICY, "allowed_tdx_status")
_ENV_KEY = ("env_key",)
_ALIKE = 0.85
_IN_A_VARIABLE = "Name the environment variable that holds it with `env_key`"
_EVERY_BOOT = (
    "RTMR3 differs with every boot and cannot be pinned: pin what goes into it,"
    " `compose_hash` and `os_image_hash`"
)
# Whoever requires attestation may call that so,
_SWITCHING = re.compile(
    r"ratls|ra_tls|attest|(use|enable|require|verify|enforce|force)d?_(tee|tdx)"
    r"|(tee|tdx)_(enable|require|verif|enforce)"
)
# but not if it is to be left out.
_UNSWITCHING = re.compile(r"(^|_)(no|not|non|without|skip|disable|un|insecure|ignore|allow|bypass)")
NO_SUCH_PIN = re.compile(r"rtmr_?[0-9]+|mr_?(config_?id|owner(_?config)?)", re.IGNORECASE)
"""Names of registers that no key pins, or of those that one does."""
REGISTER = re.compile(r"mr_?(td|seam|tmrs)|rtmr_?[0-2]")
"""One that a key pins, within a plain name: whoever adds to it means the same."""
_OF_EVIDENCE = re.compile(r"rtmr|mr_?(enclave|signer)|measurement|fmspc")
# As long as the shortest pin,
_HASH = re.compile(r"(0x)?([0-9a-f][\s:_-]?){64,}", re.IGNORECASE)
# and as long as many a secret.
_OF_SECRET = re.compile(r"(key|token|secret|password)$")

# What other programs call it, or people who write from memory.
_OTHER_NAMES: dict[str, tuple[Path, ...]] = {
    **dict.fromkeys(("url", "api_url", "api_base", "endpoint", "server"), (("base_url",),)),
    **dict.fromkeys(
        ("headers", "extra_headers", "default_headers", "custom_headers"), (("http_headers",),)
    ),
    **dict.fromkeys(("env", "env_var", "key_env", "api_key_env", "api_key_env_var"), (_ENV_KEY,)),
    **dict.fromkeys(("params", "query"), (("query_params",),)),
    **dict.fromkeys(("retries", "max_retries"), (("request_max_retries",),)),
    "display_name": (("name",),),
    **dict.fromkeys(("ratls", "ra_tls", "attestation"), (_POLICY, _SWITCH)),
    **dict.fromkeys(("policy", "attestation_policy", "tee_policy"), (_POLICY,)),
    **dict.fromkeys(("pccs", "pcs_url", "pccs_server"), (_PCCS_URL,)),
    **dict.fromkeys(("allowed_status", "allowed_statuses", "tcb_status", "statuses"), (_STATUSES,)),
    **dict.fromkeys(("grace", "grace_seconds"), ((*_POLICY, "grace_period"),)),
    **dict.fromkeys(("tee", "tee_kind"), ((*_POLICY, "tee_type"),)),
    **dict.fromkeys(("bootchain", "boot_chain"), ((*_POLICY, "expected_bootchain"),)),
    **dict.fromkeys(("tdx_tcb", "min_tcb"), ((*_POLICY, "min_tdx_tcb"),)),
}
_HINTS = {
    **dict.fromkeys(
        (
            *("api_key", "apikey", "key", "api_token", "token", "auth_token", "access_token"),
            *("bearer", "bearer_token", "secret", "password"),
        ),
        _IN_A_VARIABLE,
    ),
    **dict.fromkeys(("rtmr3", "rtmr_3"), _EVERY_BOOT),
}


def _paths(model: KeyModel, path: Path) -> Iterator[tuple[Path, KeyModel]]:
    for child in model.children:
        yield (*path, child.name), child
        yield from _paths(child, (*path, child.name))


_MODELS = dict(_paths(PROVIDER, ()))
# Of two keys of one name the first is the one meant.
_HOMES = {path[-1]: path for path in reversed(_MODELS)}
_OF_ATTESTATION = frozenset(path[-1] for path in _MODELS if path == _SWITCH or path[:1] == _POLICY)


POLICY_PATHS = {path[-1]: path for path in _MODELS if path[:1] == _POLICY}
"""Where the policy and each of its keys belong, by name."""


def home_of(name: str, path: Path) -> Path | None:
    """The table where the known key `name` belongs, if that is not the one at `path`."""
    home = _HOMES.get(name)
    return home[:-1] if home is not None and home[:-1] != path else None


def meant_by(name: str, value: Value, path: Path) -> Path | None:
    """The key that `name`, which nobody knows in the table at `path`, was meant to be."""
    if (home := home_of(name, path)) is not None:
        return (*home, name)
    spelt = plain(name)
    if spelt in _HINTS:
        return None
    if NO_SUCH_PIN.fullmatch(name):
        register = _HOMES.get(spelt.replace("_", ""))
        return register if register is not None and fits(_MODELS[register].kind, value) else None
    for other in _OTHER_NAMES.get(spelt, ()):
        if fits(_MODELS[other].kind, value):
            return other
    if isinstance(value, Scalar) and _is_switch(name, value, path):
        return _SWITCH
    fitting = {other: model for other, model in _MODELS.items() if fits(model.kind, value)}
    own = {other[-1]: other for other in fitting if other[:-1] == path}
    elsewhere = {other[-1]: other for other in fitting if other[:1] == _POLICY}
    for names in (own, elsewhere):
        found = nearest(name, names)
        # A table of which the name goes on is rather another than one with something added.
        if found is not None and not (isinstance(value, Table) and spelt.startswith(found + "_")):
            return names[found]
    return None


def _is_switch(name: str, value: Scalar, path: Path) -> bool:
    spelt = plain(name)
    if nearest(name, _POLICY) is not None:
        return False
    if not path and nearest(spelt, _SWITCH, likeness=_ALIKE) is not None:
        return True
    switching = _SWITCHING.search(spelt) and not _UNSWITCHING.search(spelt)
    return bool(switching) and truth_of(value) is not None


def hint_for(name: str) -> str | None:
    """What to write instead of a key that has no other name: a sentence without its stop."""
    return _HINTS.get(plain(name))


def is_called_so(name: str, value: Value) -> bool:
    """Whether `name` is what others call a key, rather than like one."""
    if plain(name) in _OTHER_NAMES:
        return True
    return not isinstance(value, Table) and _SWITCHING.search(plain(name)) is not None


def bears_on_attestation(name: str, value: Value, meant: Path | None) -> bool:
    """Whether `name`, which nobody knows in a provider's own table, may have been meant to switch
    attestation on, or to refuse something. `meant`: as `meant_by` has it."""
    if meant is not None:
        return meant[-1] in _OF_ATTESTATION
    if isinstance(value, Table) or NO_SUCH_PIN.fullmatch(name):
        return True
    if _SWITCHING.search(plain(name)) or _may_be_a_pin(plain(name), value):
        return True
    others = _OTHER_NAMES.get(plain(name))
    found = others[0][-1] if others else nearest(name, _HOMES, likeness=0.8)
    return found in _OF_ATTESTATION


def _may_be_a_pin(spelt: str, value: Value) -> bool:
    if REGISTER.search(spelt) or _OF_EVIDENCE.search(spelt):
        return True
    texts = (string_of(value) or "", *(text for text, _ in strings(value)))
    return not _OF_SECRET.search(spelt) and any(map(_HASH.fullmatch, texts))


def plain(name: str) -> str:
    """`name` without its case, and with no hyphen for an underscore."""
    return name.lower().replace("-", "_")
