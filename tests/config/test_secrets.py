"""What is shown of a config's text to others."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ratls_ls.config.check import Context, check
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
        'experimental_bearer_token =\n"canary"',
        "experimental_bearer_token =\ncanary",
        "experimental_bearer_token =\ncanary==",
        "experimental_bearer_token =\n  canary.canary # b",
        'experimental_bearer_token = """canary\ncanary"',
        'http_headers = { Authorization =\n"Bearer canary" }',
        '[model_providers.tee.http_headers]\nAuthorization =\n"Bearer canary"',
        '[model_providers.tee.auth]\nargs = [\n["canary"]',
        "[model_providers]\ntoken =\ncanary",
        '[["canary"',
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
        'base_url = "https://g.example/v1?key=canary"',
        'base_url = "https://g.example/v1#canary"',
        'base_url = "https://user:canary.g.example/v1"',
        'base_url = "https://g.example/v1/canary0123456789"',
        'ratls_policy.pccs_url = "https://g.example/v4?key=canary"',
        'use_ratls = true experimental_bearer_token = "canary"',
        'name = "TEE" # canary',
        "# canary",
        'app_compose = "canary"',
        '[profiles.work]\nenv_key = "sk-canary"',
        '[profiles.work.http_headers]\nname = "canary"',
        '[mcp_servers.name.env]\nname = "canary"',
        'model_provider.t.experimental_bearer_token = "canary"',
        '[[model_providers]]\nexperimental_bearer_token = "canary"',
        '[[model_providers.t]]\nexperimental_bearer_token = "canary"',
        '[t]\nmodel_providers = [{ experimental_bearer_token = "canary" }]',
        '[model_providers.t.]\nname = "canary"',
        'name = """\nexperimental_bearer_token = "canary"\n"""',
        'ratls_policy.compose_hash = """\nexperimental_bearer_token = "canary"\n"""',
        'env_key_instructions = """\n"""\nexperimental_bearer_token = """\ncanary\n"""',
    ],
)
def test_no_secret_is_shown(line: str) -> None:
    for text in (HEAD + line + "\nuse_ratls = true\n", f"{line}\n{HEAD}"):
        shown = masked(read(text))
        assert "canary" not in shown
        assert len(shown) == len(text)
        assert shown.count("\n") == text.count("\n")


CANARY = "sk-0canary0canary0"
SECRET_KEYS = (
    *("experimental_bearer_token", "api_key", "env_key", "base_url", "pccs_url", "app_compose"),
    *("http_headers", "env_http_headers", "query_params", "auth", "token", '"pass word"'),
)
FORMS = (
    *('{} = "C"', "{} = 'C'", "{} = C", '{} = "C', '{} "C"', "{} C", '{} = ["C"]', "{} =C\\"),
    *('{} = {{ a = "C" }}', '{} = {{ name = "C"', "{} = '''\nC\n'''", '{}.use_ratls = "C"'),
    *('{} = "https://C@g/v1"', '{} = "https://g/v1?k=C"', '{} = "https://g/v1/C"', "{} = 1 # C"),
    *('{} = [{{ a = "C" }}]', '[{}]\nname = "C"', "{} = C, C", "{} == C", '{} = """C'),
)
OTHER_LINES = (
    *("[model_providers.tee]", "[model_providers.tee", "[model_providers.tee.http_headers]"),
    *("[model_providers]", "[[model_providers]]", "[model_provider.tee]", "[profiles.work]", "["),
    *("[model_providers.tee.ratls_policy]", "[ratls_policy]", "[mcp_servers.a.env]", "[a.]", ""),
    *('name = "TEE"', "use_ratls = true", "use_ratls = tru", 'wire_api = "chat', "'''", '"""'),
    *('base_url = "http://g.example/v1"', "base_url =", "}", "]", "x", "# C", "= C", 'model = "C"'),
    *('"C"', "C", 'C"""', '"C" }', "C.C", "C: a", "'a = C", '[["C"', '["C"', "use_ratls.C"),
)


@example(["[model_providers]", "C.C"])
@given(
    st.lists(
        st.one_of(
            st.builds(str.format, st.sampled_from(FORMS), st.sampled_from(SECRET_KEYS)),
            st.sampled_from(OTHER_LINES),
        ),
        max_size=12,
    )
)
def test_a_canary_anywhere_is_neither_shown_nor_told(lines: list[str]) -> None:
    text = "\n".join(lines).replace("C", CANARY)
    file = read(text)
    problems = check(file, Context(environment=frozenset()))
    told = [word for each in problems for word in (each.message, *(f.title for f in each.fixes))]
    assert not [shown for shown in (masked(file), *told) if "canary" in shown]
    assert len(masked(file)) == len(text)


KEYS = (
    *("sk-0canary0canary0canary", "sk-proj-0canary0canary0canary", "sk_live_0canary0canary0canary"),
    *("sk-ant-api03-0_canary0canary0canary0-AA", "gsk_0canary0canary0canary", "hf_" + "canary" * 6),
    *(
        "ghp_0canary0canary0canary",
        "github_pat_0canary0canary0canary_a",
        "xai-0canary0canary0canary",
    ),
    *("AIza0canary0canary0canary", "eyJcanary0canary0canary.eyJcanary0canary0canary.a"),
)
PLACES = (
    *('base_url = "https://{}/v1"', 'base_url = "https://a.{}.example"', 'base_url = "{}"'),
    *('base_url = "https://g.example/v1/{}/a"', 'ratls_policy.pccs_url = "http://{}"'),
    *('name = "{}"', 'wire_api = "{}"', 'model_provider = "{}"', '{} = "a"', '"{}" = 1', "use.{}"),
    *('ratls_policy = {{ tee_type = "{}", allowed_tdx_status = ["{}"] }}', "[{}]", "[{}.a"),
    *('ratls_policy.compose_hash = "{}"', '[model_providers."{}"]', "[model_providers.tee.{}]"),
    *('[profiles.work]\nmodel_provider = "{}"', 'model_provider = "{}"\n[model_providers."{}"]'),
    *('http_headers = {{ "{}" = "a", "{}" = "b" }}', 'ratls_policy = {{ "{}" = 1 }}'),
)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("place", PLACES)
def test_a_key_that_has_the_form_of_one_is_shown_and_told_nowhere(place: str, key: str) -> None:
    line = place.replace("{}", key).replace("{{", "{").replace("}}", "}")
    for text in (
        HEAD.replace('base_url = "https://tee.example/v1"\n', "") + line,
        f"{line}\n{HEAD}",
    ):
        file = read(text)
        problems = check(file, Context(environment=frozenset()))
        told = [
            said for each in problems for said in (each.message, *(f.title for f in each.fixes))
        ]
        assert not [shown for shown in (masked(file), *told) if "canary" in shown]
        assert len(masked(file)) == len(text)
        urls = [table.provider and table.provider.base_url for table in file.providers.values()]
        assert not [url for url in urls if "canary" in (url or "").partition("/v1")[0]]


@pytest.mark.parametrize(
    "host",
    [
        "sk-bratislava-datacenter1.example",
        "0123456789abcdef0123456789abcdef01234567-8000.dstack-pha-prod7.phala.network",
        "task-0123456789abcdef.example",
        "hf-inference.example",
        "akia.example",
    ],
)
def test_a_host_is_not_taken_for_a_key(host: str) -> None:
    text = HEAD.replace("tee.example", host) + "use_ratls = true\n"
    assert masked(read(text)) == text
    assert read(text).providers["tee"].provider is not None


def test_what_is_public_is_shown() -> None:
    text = HEAD + 'ratls_policy = { tee_type = "SGX", allowed_tdx_status = ["UpToDat"] }\n'
    text += 'env_http_headers = { X-A = "TEE_HEADER" }\nuse_ratls = tru\nwire_api = "chat\n'
    assert masked(read(text)) == text
