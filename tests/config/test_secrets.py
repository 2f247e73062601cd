"""What is shown of a config's text to others."""

from __future__ import annotations

import pytest

from ratls_ls.config.read import read
from ratls_ls.config.secrets import masked

HEAD = """\
[model_providers.tee]
name = "TEE"
base_url = "https://tee.example/v1"
env_key = "TEE_KEY"
"""


@pytest.mark.parametrize(
    "line",
    [
        'experimental_bearer_token = "canary"',
        "experimental_bearer_token = canary",
        'experimental_bearer_token = "canary',
        'experimental_bearer_token "canary"',
        "experimental_bearer_token canary0123456789",
        'experimental_bearer_token = "a"\nexperimental_bearer_token = canary',
        'http_headers = { X-A = "canary" }',
        'http_headers = { X-A = "canary"',
        '[model_providers.tee.http_headers]\nX-A = "canary"',
        '[model_providers.tee.http_headers\nX-A = "canary"',
        'query_params.key = "canary"',
        "env_http_headers = { X-A = 'sk-canary' }",
        "env_http_headers = { X-A = 'skcanary1' }",
        'auth = { command = "print", args = ["canary"] }',
        'api_key = "canary"',
        'bearer = { token = ["canary"] }',
        'ratls_policy = { experimental_bearer_token = "canary" }',
        'ratls_policy = { pccs_url = "https://user:canary@pccs.example" }',
        'env_key_instructions = """\n"""\nexperimental_bearer_token = """\ncanary\n"""',
    ],
)
def test_no_secret_is_shown(line: str) -> None:
    text = HEAD + line + "\nuse_ratls = true\n"
    shown = masked(read(text))
    assert "canary" not in shown
    assert len(shown) == len(text)
    assert shown.count("\n") == text.count("\n")


def test_what_is_public_is_shown() -> None:
    text = HEAD + 'ratls_policy = { tee_type = "SGX", allowed_tdx_status = ["UpToDat"] }\n'
    text += 'env_http_headers = { X-A = "TEE_HEADER" }\nuse_ratls = tru\nwire_api = "chat\n'
    assert masked(read(text)) == text
