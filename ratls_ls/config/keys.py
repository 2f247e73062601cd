"""The one model of all keys: what each is, who reads it, what it means.

Invariant: rules, hover, completion and the JSON Schema know keys from here alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from functools import lru_cache

from ratls_ls.cached import cached_property
from ratls_ls.rats.policy import Register, TcbStatus

from .model import DEFAULT_PCCS_URL


class Reader(Enum):
    """Who reads a key: the RA-TLS fork of Codex, upstream Codex (0.169), ratls-ls."""

    FORK = "the RA-TLS fork"
    UPSTREAM = "upstream Codex"
    RATLS_LS = "ratls-ls"


class Kind(StrEnum):
    """The type of a value, as one would say it."""

    STRING = "a string"
    URL = "a URL in a string"
    HEX = "hex digits in a string"
    BOOLEAN = "true or false"
    INTEGER = "a whole number"
    STRING_LIST = "an array of strings"
    STRING_MAP = "a table of strings"
    TABLE = "a table"


_TYPES = {Kind.STRING: str, Kind.URL: str, Kind.HEX: str, Kind.BOOLEAN: bool}
_ALL = frozenset(Reader)
_CODEX = frozenset({Reader.FORK, Reader.UPSTREAM})
_FORK = frozenset({Reader.FORK, Reader.RATLS_LS})
_UPSTREAM = frozenset({Reader.UPSTREAM})
_OURS = frozenset({Reader.RATLS_LS})


@dataclass(frozen=True, eq=False)
class KeyModel:
    """One key.

    `summary`: what it means; `codex`: what Codex does with it, naming the flavour where they
    differ. `default`: TOML text; `default_of`: whose that is, if not everybody's. `values`: all
    that is allowed, if that is a closed set. `minimum`: of an integer. `size`: of hex, in bytes.
    `children`: the keys of a table; none if any key may stand there. `excluded_by`: keys beside
    which it does not count, or Codex does not start.
    """

    name: str
    kind: Kind
    summary: str
    codex: str = ""
    readers: frozenset[Reader] = _ALL
    default: str | None = None
    default_of: Reader | None = None
    values: tuple[str, ...] = ()
    minimum: int | None = None
    size: int | None = None
    children: tuple[KeyModel, ...] = ()
    excluded_by: tuple[str, ...] = ()

    @property
    def is_extension(self) -> bool:
        """Whether only ratls-ls reads it."""
        return self.readers == _OURS

    @property
    def is_upstream_only(self) -> bool:
        return self.readers == _UPSTREAM

    @property
    def default_told(self) -> str:
        """Its default, and whose that is, for people; empty if there is none."""
        if self.default is None:
            return ""
        of = f" of {self.default_of.value}" if self.default_of is not None else ""
        return f"Default{of}: `{self.default}`"

    @cached_property
    def by_name(self) -> dict[str, KeyModel]:
        """Its `children`."""
        return {child.name: child for child in self.children}

    @cached_property
    def type(self) -> type | None:
        """Of the values in Python that are right whatever they are; None where more is asked."""
        return _TYPES.get(self.kind)

    def child(self, name: str) -> KeyModel | None:
        return self.by_name.get(name)


def _pin(name: str, register: Register, summary: str, codex: str = "") -> KeyModel:
    readers = _FORK if codex else _OURS
    return KeyModel(
        name,
        Kind.HEX,
        summary,
        codex or "Codex does not know this key; ratls-ls alone checks it.",
        readers,
        size=register.size,
    )


PROVIDERS = "model_providers"
"""The table of all providers."""
_PREFIX = (
    "The RA-TLS fork compares only as many bytes as stand here and drops a value that is no hex."
)

MIN_TDX_TCB = KeyModel(
    "min_tdx_tcb",
    Kind.TABLE,
    "Reference values for the TDX module and the virtual firmware, compared for equality.",
    "The RA-TLS fork compares them as prefixes; upstream Codex ignores the whole policy.",
    _FORK,
    children=(
        _pin(
            "mrseam",
            Register.MRSEAM,
            "SHA-384 measurement of the TDX module (MRSEAM) that must run on the platform.",
            _PREFIX,
        ),
        _pin(
            "mrtmrs",
            Register.RTMR0,
            "The value of RTMR0: virtual hardware and firmware configuration of the TD.",
            _PREFIX,
        ),
    ),
)

EXPECTED_BOOTCHAIN = KeyModel(
    "expected_bootchain",
    Kind.TABLE,
    "Reference values for what booted: firmware, kernel, initial RAM disk and command line.",
    "Codex does not know this key; ratls-ls alone checks it.",
    _OURS,
    children=(
        _pin("mrtd", Register.MRTD, "SHA-384 of the TD's initial contents: its virtual firmware."),
        _pin("rtmr0", Register.RTMR0, "RTMR0: virtual hardware and firmware configuration."),
        _pin("rtmr1", Register.RTMR1, "RTMR1: the kernel."),
        _pin("rtmr2", Register.RTMR2, "RTMR2: kernel command line and initial RAM disk."),
    ),
)

POLICY_KEYS: tuple[KeyModel, ...] = (
    KeyModel(
        "tee_type",
        Kind.STRING,
        "The kind of TEE. Intel TDX is the only one.",
        "The RA-TLS fork takes any other word for Tdx.",
        _FORK,
        default='"Tdx"',
        values=("Tdx",),
    ),
    KeyModel(
        "allowed_tdx_status",
        Kind.STRING_LIST,
        "The TCB statuses of the platform that are good enough.",
        "The RA-TLS fork refuses a server with any other status.",
        _FORK,
        default='["UpToDate"]',
        values=tuple(status.value for status in TcbStatus),
    ),
    KeyModel(
        "pccs_url",
        Kind.URL,
        "Where Intel's collateral (TCB info, QE identity, revocation lists) is fetched from: a PCCS"
        " with the paths of Intel's PCS version 4. `/tdx/certification/v4` or"
        " `/sgx/certification/v4` at the end may be left out.",
        "With a policy but without this key the RA-TLS fork has no collateral and refuses every"
        " server; ratls-ls then asks Phala Network's.",
        _FORK,
        default=f'"{DEFAULT_PCCS_URL}"',
        default_of=Reader.RATLS_LS,
    ),
    MIN_TDX_TCB,
    EXPECTED_BOOTCHAIN,
    _pin(
        "os_image_hash",
        Register.OS_IMAGE_HASH,
        "SHA-256 of the dstack OS image, as the event `os-image-hash` gives it.",
    ),
    _pin(
        "compose_hash",
        Register.COMPOSE_HASH,
        "SHA-256 of the raw app-compose text, as the event `compose-hash` gives it.",
    ),
    KeyModel(
        "app_compose",
        Kind.STRING,
        "The raw app-compose text; its SHA-256 must equal the event `compose-hash`.",
        "Codex does not know this key; ratls-ls alone checks it.",
        _OURS,
    ),
    KeyModel(
        "grace_period",
        Kind.INTEGER,
        "Seconds after a TCB level's date for which an allowed OutOfDate still passes.",
        "Codex does not know this key: where OutOfDate is allowed, the RA-TLS fork allows it for"
        " ever.",
        _OURS,
        minimum=0,
    ),
)

RATLS_POLICY = KeyModel(
    "ratls_policy",
    Kind.TABLE,
    "What the server's attestation must satisfy. Counts only with `use_ratls = true`.",
    "The RA-TLS fork applies it; upstream Codex ignores it with a warning.",
    _FORK,
    children=POLICY_KEYS,
)

WIRE_APIS = ("chat", "responses")
"""The APIs that Codex speaks."""

MOST_RETRIES = 100
"""Codex takes more for so many."""

PROVIDER_KEYS: tuple[KeyModel, ...] = (
    KeyModel("name", Kind.STRING, "The provider's name for people.", "Required."),
    KeyModel(
        "base_url",
        Kind.URL,
        "Where the API is, e.g. https://host/v1; paths such as /chat/completions come after it.",
        "Without it Codex talks to api.openai.com.",
    ),
    KeyModel(
        "use_ratls",
        Kind.BOOLEAN,
        "Attest the server before anything is sent to it.",
        "The RA-TLS fork attests if this is true; upstream Codex ignores it with a warning and"
        " sends prompts over plain TLS.",
        _FORK,
        default="false",
    ),
    RATLS_POLICY,
    KeyModel(
        "env_key",
        Kind.STRING,
        "The environment variable that holds the API key, sent as a bearer token.",
        "Codex refuses to send a request while the variable is not set.",
        excluded_by=("auth",),
    ),
    KeyModel(
        "env_key_instructions",
        Kind.STRING,
        "Help shown when the variable of `env_key` is not set.",
        readers=_CODEX,
    ),
    KeyModel(
        "experimental_bearer_token",
        Kind.STRING,
        "A bearer token in the file itself. Prefer `env_key`.",
        "Codex sends it as Authorization.",
        excluded_by=("env_key", "auth"),
    ),
    KeyModel(
        "wire_api",
        Kind.STRING,
        "Which API the server speaks.",
        "The RA-TLS fork knows chat and responses, upstream Codex only responses.",
        default='"chat"',
        default_of=Reader.FORK,
        values=WIRE_APIS,
    ),
    KeyModel("query_params", Kind.STRING_MAP, "Query parameters added to every request."),
    KeyModel("http_headers", Kind.STRING_MAP, "Headers added to every request."),
    KeyModel(
        "env_http_headers",
        Kind.STRING_MAP,
        "Headers added to every request, each with the name of the variable that holds its value.",
        "Codex leaves out a header whose variable is not set or empty.",
    ),
    KeyModel(
        "request_max_retries",
        Kind.INTEGER,
        "How often a failed request is tried again.",
        f"Codex takes more than {MOST_RETRIES} for {MOST_RETRIES}.",
        default="4",
        minimum=0,
    ),
    KeyModel(
        "stream_max_retries",
        Kind.INTEGER,
        "How often a broken stream is taken up again.",
        f"Codex takes more than {MOST_RETRIES} for {MOST_RETRIES}.",
        default="5",
        minimum=0,
    ),
    KeyModel(
        "stream_idle_timeout_ms",
        Kind.INTEGER,
        "Milliseconds without an event after which a stream counts as broken.",
        default="300000",
        minimum=1,
    ),
    KeyModel(
        "requires_openai_auth",
        Kind.BOOLEAN,
        "Send the logged-in OpenAI user's token.",
        "Codex then sends that token to this provider's host.",
        _CODEX,
        default="false",
        excluded_by=("auth",),
    ),
    KeyModel(
        "model_catalog_url", Kind.URL, "Where upstream Codex finds the models.", readers=_UPSTREAM
    ),
    KeyModel(
        "auth",
        Kind.TABLE,
        "A command that prints the token. Excludes env_key, experimental_bearer_token and"
        " requires_openai_auth.",
        readers=_UPSTREAM,
        excluded_by=("env_key", "experimental_bearer_token", "requires_openai_auth"),
    ),
    KeyModel("gateway_oauth", Kind.TABLE, "OAuth at a gateway.", readers=_UPSTREAM),
    KeyModel("aws", Kind.TABLE, "AWS credentials and region.", readers=_UPSTREAM),
    KeyModel("project_id", Kind.STRING, "Cloud project of the provider.", readers=_UPSTREAM),
    KeyModel("location", Kind.STRING, "Cloud location of the provider.", readers=_UPSTREAM),
    KeyModel("credential_file", Kind.STRING, "File with cloud credentials.", readers=_UPSTREAM),
    KeyModel(
        "websocket_connect_timeout_ms",
        Kind.INTEGER,
        "Milliseconds to wait for a WebSocket connection.",
        readers=_UPSTREAM,
        default="15000",
        minimum=0,
    ),
    KeyModel(
        "supports_websockets",
        Kind.BOOLEAN,
        "Whether the server speaks the responses API over WebSocket.",
        readers=_UPSTREAM,
        default="false",
    ),
    KeyModel(
        "supports_standalone_web_search",
        Kind.BOOLEAN,
        "Whether the server offers web search by itself.",
        readers=_UPSTREAM,
    ),
    KeyModel("capabilities", Kind.TABLE, "What the provider can do.", readers=_UPSTREAM),
)

PROVIDER = KeyModel(
    "model_providers.<id>",
    Kind.TABLE,
    "A model provider.",
    children=PROVIDER_KEYS,
)

RESERVED_IDS = ("openai", "ollama", "lmstudio")
"""Ids of built-in providers that no table changes: the RA-TLS fork silently ignores one, upstream
Codex refuses to start."""

BEDROCK_IDS = ("amazon-bedrock", "amazon-bedrock-runtime")
"""Ids of providers built into upstream Codex of which a table may change some keys."""

BEDROCK_KEYS = ("base_url", "auth", "http_headers", "aws")
"""The keys that a table under one of BEDROCK_IDS may set; with others upstream Codex refuses to
start."""

BUILT_IN_IDS = (*RESERVED_IDS, *BEDROCK_IDS)
"""Ids that a config may refer to without defining them."""


def built_into(provider: str) -> str:
    """Which Codex one of BUILT_IN_IDS is built into."""
    return f"{Reader.UPSTREAM.value} alone" if provider in BEDROCK_IDS else "Codex"


DEFAULT_ID = "openai"
"""The id of the provider that Codex uses where none is named."""

REFERENCES: tuple[KeyModel, ...] = (
    KeyModel(
        "model_provider",
        Kind.STRING,
        "The id of the provider that prompts go to: a table under `model_providers`, or one that is"
        " built into Codex.",
        "Codex refuses to start if there is none of this id.",
        _CODEX,
        default=f'"{DEFAULT_ID}"',
    ),
    KeyModel(
        "oss_provider",
        Kind.STRING,
        "The id of the provider that prompts go to with `codex --oss`, which is for local models.",
        "Counts with `--oss` alone; without this key Codex asks which to take.",
        _CODEX,
    ),
)
"""The keys, at the top and in a profile, whose value is a provider id."""
REFERENCE_KEYS = tuple(model.name for model in REFERENCES)

PHALA_PCCS_URL = DEFAULT_PCCS_URL
INTEL_PCCS_URL = "https://api.trustedservices.intel.com/tdx/certification/v4"
PCCS_URLS = (PHALA_PCCS_URL, INTEL_PCCS_URL)
"""Public services that serve collateral to anyone."""


def reference(path: tuple[str, ...]) -> KeyModel | None:
    """The key at `path` in the whole file, if its value is a provider id."""
    if len(path) == 1 or (len(path) == 3 and path[0] == "profiles"):
        return next((model for model in REFERENCES if model.name == path[-1]), None)
    return None


@lru_cache(maxsize=256)  # asked of a provider at every keystroke in it
def settable(provider: str, *path: str) -> tuple[KeyModel, ...]:
    """The keys that Codex takes in the table at `path` of a provider of this id."""
    found: tuple[KeyModel, ...] = PROVIDER_KEYS
    if provider in RESERVED_IDS:
        found = ()
    elif provider in BEDROCK_IDS:
        found = tuple(key for key in found if key.name in BEDROCK_KEYS)
    else:
        found = tuple(key for key in found if key.name != "aws")
    for name in path:
        found = next((key.children for key in found if key.name == name), ())
    return found


def find(*path: str) -> KeyModel | None:
    """The key at `path` within a provider's table, e.g. "ratls_policy", "pccs_url"."""
    model: KeyModel | None = PROVIDER
    for name in path:
        model = model.child(name) if model is not None else None
    return model
