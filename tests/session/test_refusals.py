"""What is refused before anything is contacted, whose key goes where, and each error's shape."""

# ruff: noqa: PT017 (an error is one of two right outcomes)

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratls_ls.lsp import methods
from ratls_ls.lsp.methods import MethodError
from ratls_ls.lsp.params import AttestationStatusParams, AttestedRequestParams
from ratls_ls.settings import parse
from ratls_ls.simulator import OpenAi, SimulatedProvider, serve
from ratls_ls.simulator.http import Response, Wire

from .world import Api, World, a_world, meanwhile, play, refused, replaying

BASE = {"provider": "tee", "path": "/models"}


@pytest.mark.parametrize(
    ("params", "where"),
    [
        ({"provider": None}, "provider"),
        ({"provider": 3}, "provider"),
        ({"provider": ""}, "provider"),
        ({"path": ["/"]}, "path"),
        ({"path": "models"}, "path"),
        ({"path": "//evil.example/x"}, "path"),
        ({"path": "https://evil.example/x"}, "path"),
        ({"path": "/../x"}, "path"),
        ({"path": "/%2e%2e/x"}, "path"),
        ({"path": "/a\r\nHost: x"}, "path"),
        ({"path": "/a%0d%0aHost: x"}, "path"),
        ({"path": "/a\\b"}, "path"),
        ({"path": "/a#b"}, "path"),
        ({"path": "/a?b=\n"}, "path"),
        ({"uri": 1}, "uri"),
        ({"method": "GE T"}, "method"),
        ({"method": "CONNECT"}, "method"),
        ({"method": 1}, "method"),
        ({"headers": []}, "headers"),
        ({"headers": {"a": 1}}, "headers.a"),
        ({"headers": {"Host": "x"}}, "headers.Host"),
        ({"headers": {"authorization": "x"}}, "headers.authorization"),
        ({"headers": {"Content-Length": "1"}}, "headers.Content-Length"),
        ({"headers": {"TRANSFER-ENCODING": "chunked"}}, "headers.TRANSFER-ENCODING"),
        ({"headers": {"Connection": "close"}}, "headers.Connection"),
        ({"headers": {"a b": "x"}}, "headers.a b"),
        ({"headers": {"a": "x\r\nb: y"}}, "headers.a"),
        ({"headers": {"a": "ä"}}, "headers.a"),
        ({"query": {"a": "\ud800"}}, "query"),
        ({"path": "/\ud800"}, "path"),
        ({"query": "a=b"}, "query"),
        ({"query": {"a": None}}, "query.a"),
        ({"body": {}, "bodyText": ""}, "bodyText"),
        ({"bodyText": 1}, "bodyText"),
        ({"bodyText": "\ud800"}, "bodyText"),
        ({"bodyBase64": "x"}, "bodyBase64"),
        ({"bodyBase64": "AAE\n"}, "bodyBase64"),
        ({"timeoutMs": "1"}, "timeoutMs"),
        ({"timeoutMs": 0}, "timeoutMs"),
        ({"timeoutMs": 0.5}, "timeoutMs"),
        ({"timeoutMs": True}, "timeoutMs"),
        ({"timeoutMs": 1e99}, "timeoutMs"),
        ({"partialResultToken": {}}, "partialResultToken"),
        ({"partialResultToken": True}, "partialResultToken"),
    ],
)
async def test_params_that_do_not_fit(
    world: World, provider: SimulatedProvider, params: dict[str, Any], where: str
) -> None:
    world.write(provider.config_toml("tee"))
    error = await refused(world.request(**{**BASE, **params}))
    assert (error.code, error.data["where"]) == (methods.INVALID_PARAMS, where)
    assert error.data["why"]
    assert not provider.record.connections


@pytest.mark.parametrize("params", [None, [], "x", 3, True])
def test_params_that_are_no_object(params: object) -> None:
    with pytest.raises(MethodError) as caught:
        AttestedRequestParams.parse(params)
    assert caught.value.code == methods.INVALID_PARAMS


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
PARAMS = st.fixed_dictionaries(
    {},
    optional={
        key: JSON | st.text() | st.floats() | st.dictionaries(st.text(), st.text(), max_size=3)
        for key in (
            "provider", "path", "uri", "method", "headers", "query", "body", "bodyText",
            "bodyBase64", "timeoutMs", "partialResultToken", "refresh",
        )
    },
)  # fmt: skip


@given(JSON | PARAMS)
def test_any_params_give_a_request_or_a_typed_refusal(params: object) -> None:
    for kind in (AttestedRequestParams, AttestationStatusParams):
        try:
            kind.parse(params)
        except MethodError as error:
            assert error.code == methods.INVALID_PARAMS
            assert isinstance(error.data, dict)
            assert error.data.keys() == {"where", "why"}


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "x",
        "http://[",
        "untitled:x",
        "file://",
        "file:///",
        "file:///dev/zero",
        "file:///a%00b",
        "file:///\ud800",
        "file:///" + "x" * 5000,
    ],
)
async def test_a_uri_that_names_no_config(world: World, uri: str) -> None:
    error = await refused(world.request(uri=uri))
    assert error.code == methods.PROVIDER_NOT_ATTESTED


async def test_a_uri_that_nobody_could_read_to_its_end(world: World) -> None:
    pipe = world.home / "config.toml"
    os.mkfifo(pipe)
    error = await refused(world.request(uri=pipe.as_uri()))
    assert error.code == methods.PROVIDER_NOT_ATTESTED


# Which provider is meant.


async def test_providers_that_are_not_attested(world: World, provider: SimulatedProvider) -> None:
    assert (await refused(world.request())).code == methods.PROVIDER_NOT_ATTESTED
    plain = provider.config_toml("plain").replace("use_ratls = true", "use_ratls = false")
    world.write(plain + "\n" + provider.config_toml("openai"))
    for name in ("nobody", "plain", "openai"):
        error = await refused(world.request(name))
        assert error.code == methods.PROVIDER_NOT_ATTESTED
        assert name in error.message
        assert isinstance(error.data, list)
    listed = (await refused(world.request("plain"))).data
    assert "policy-without-use-ratls" in [problem["code"] for problem in listed]
    assert listed[0].keys() >= {"file", "code", "severity", "range", "message"}


async def test_a_provider_with_errors(world: World, provider: SimulatedProvider) -> None:
    world.write(provider.config_toml("tee", allowed_tdx_status=[]))
    error = await refused(world.request())
    assert error.code == methods.INVALID_POLICY
    assert "empty-allowed-status" in [problem["code"] for problem in error.data]
    assert not provider.record.connections


@pytest.mark.parametrize(
    ("added", "code"),
    [
        ("", "unknown-key"),
        ('[tui]\nmrtd = "00"', "misplaced-table"),
        ('[model_providers.te.ratls_policy]\ncompose_hash = "00"', "policy-without-use-ratls"),
    ],
)
async def test_the_errors_that_may_concern_any_provider_are_listed(
    world: World, provider: SimulatedProvider, added: str, code: str
) -> None:
    text = provider.config_toml("tee")
    if not added:
        text = text.replace("allowed_tdx_status", "alowed_tdx_stats")
    world.write(f"{text}\n{added}\n")
    error = await refused(world.request())
    assert error.code == methods.INVALID_POLICY
    errors = [problem["code"] for problem in error.data if problem["severity"] == "error"]
    assert code in errors
    assert not provider.record.connections


async def test_the_open_text_counts_and_not_the_disk(
    world: World, provider: SimulatedProvider
) -> None:
    uri = world.open(provider.config_toml("tee", allowed_tdx_status=[]))
    world.session.change(uri, provider.config_toml("tee"), 2)
    assert (await world.request())["status"] == 200
    world.session.close(uri)
    assert (await refused(world.request())).code == methods.INVALID_POLICY


async def test_the_user_level_config_counts_first_then_the_one_open_that_has_it(
    world: World, provider: SimulatedProvider
) -> None:
    text = provider.config_toml("tee")
    one, two = ((world.home / name).as_uri() for name in ("one.toml", "two.toml"))
    world.session.open(one, text, 1)
    assert (await world.request())["status"] == 200
    world.session.open(two, text, 1)
    error = await refused(world.request())
    assert (error.code, error.data["where"]) == (methods.INVALID_PARAMS, "uri")
    assert (await world.request(uri=two))["status"] == 200
    world.write(text)
    assert (await world.request())["status"] == 200


TABLE = "[model_providers.tee"


@pytest.fixture
async def repository(world: World, provider: SimulatedProvider) -> str:
    """The URI of a project's config, which is open and has the id "tee" for its own provider."""
    path = world.home / "repository" / ".codex" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(provider.config_toml("tee", pinned=False), "utf-8")
    world.session.open(path.as_uri(), path.read_text("utf-8"), 1)
    return path.as_uri()


async def not_sent_elsewhere(world: World) -> None:
    """Whoever means the user's own provider is not sent to the project's."""
    assert (await refused(world.request())).code in (
        methods.INVALID_PARAMS,
        methods.INVALID_POLICY,
    )


@pytest.mark.parametrize(
    ("found", "replaced"),
    [
        (TABLE, "[model_providers.te"),
        (TABLE, "[model_provider.tee"),
        (f"{TABLE}]", "[[model_providers]]"),
        ("", "model_providers = \n"),
        ("", "model_providers = 1\n"),
        ("", "model_providers = {\n"),
    ],
)
@pytest.mark.parametrize("saved", [False, True])
async def test_a_users_own_id_is_nobody_elses_while_the_config_is_edited(
    world: World,
    provider: SimulatedProvider,
    repository: str,
    found: str,
    replaced: str,
    saved: bool,
) -> None:
    text = provider.config_toml("tee")
    uri = world.open(text)
    edited = text.replace(found, replaced) if found else replaced + text
    assert edited != text
    if saved:
        world.save(uri, edited)
    else:
        world.session.change(uri, edited, 2)
    await not_sent_elsewhere(world)
    assert (await world.request(uri=repository))["status"] == 200


@pytest.mark.parametrize("content", [b"# \xff", b"#" * (16 * 1024 * 1024 + 1), b"[model_pro", None])
@pytest.mark.parametrize("was_open", [False, True])
async def test_a_users_own_id_is_nobody_elses_while_the_config_cannot_be_read(
    world: World,
    provider: SimulatedProvider,
    repository: str,
    content: bytes | None,
    was_open: bool,
) -> None:
    """`content`: of the user's own config; None: that is a directory."""
    if was_open:
        world.session.close(world.open(provider.config_toml("tee")))
        world.config.unlink()
        await not_sent_elsewhere(world)
    world.config.parent.mkdir(exist_ok=True)
    if content is None:
        world.config.mkdir()
    else:
        world.config.write_bytes(content)
    await not_sent_elsewhere(world)
    assert (await world.request(uri=repository))["status"] == 200


LACKING = "# nothing\n"


async def test_a_users_own_id_is_nobody_elses_under_new_settings(
    world: World, provider: SimulatedProvider, repository: str
) -> None:
    """Unless the user's own is another config now."""
    world.session.change(world.open(provider.config_toml("tee")), LACKING, 2)
    world.session.configure(parse({"attestation": {"refreshMinutes": 14}}))
    await not_sent_elsewhere(world)
    world.session.configure(parse({"codexHome": str(world.home / "elsewhere")}))
    assert (await world.request())["status"] == 200


async def test_a_users_own_id_is_nobody_elses_where_the_config_was_opened_edited(
    world: World, provider: SimulatedProvider, repository: str
) -> None:
    uri = world.write(provider.config_toml("tee"))
    world.session.open(uri, LACKING, 1)
    await not_sent_elsewhere(world)
    world.save(uri, LACKING)
    await not_sent_elsewhere(world)


async def test_a_users_own_id_is_nobody_elses_where_somebody_wrote_it_behind_the_editor(
    world: World, provider: SimulatedProvider, repository: str
) -> None:
    world.session.change(world.open(LACKING), f"{LACKING}# more\n", 2)
    world.session.changed_on_disk(world.write(provider.config_toml("tee")))
    await not_sent_elsewhere(world)


async def test_a_users_own_id_is_nobody_elses_in_a_home_that_is_only_now_theirs(
    world: World, provider: SimulatedProvider, repository: str
) -> None:
    other = world.home / "elsewhere" / "config.toml"
    other.parent.mkdir()
    other.write_text(provider.config_toml("tee"), "utf-8")
    world.session.open(other.as_uri(), LACKING, 1)
    assert (await world.request())["status"] == 200
    world.session.configure(parse({"codexHome": str(other.parent)}))
    await not_sent_elsewhere(world)


async def test_a_users_own_id_is_nobody_elses_once_it_was_asked_for(
    world: World, provider: SimulatedProvider, repository: str
) -> None:
    """Be it never saved."""
    uri = world.open(LACKING)
    world.session.change(uri, provider.config_toml("tee"), 2)
    assert (await world.request())["status"] == 200
    world.session.change(uri, LACKING, 3)
    await not_sent_elsewhere(world)


async def test_another_id_is_the_projects_beside_the_users_own(
    world: World, provider: SimulatedProvider, repository: str
) -> None:
    world.write(provider.config_toml("own"))
    assert (await world.request())["status"] == 200
    uri = world.open(provider.config_toml("own"))
    assert (await world.request())["status"] == 200
    world.session.change(uri, LACKING, 2)
    assert (await world.request())["status"] == 200


async def test_an_id_is_the_projects_beside_what_is_on_no_disk_yet(
    world: World, repository: str
) -> None:
    world.session.open(world.config.as_uri(), LACKING, 1)
    assert (await world.request())["status"] == 200


async def test_a_config_that_changed_on_disk_is_read_again(
    world: World, provider: SimulatedProvider
) -> None:
    world.write(provider.config_toml("tee"))
    await world.request()
    world.write(provider.config_toml("other"))
    assert (await refused(world.request())).code == methods.PROVIDER_NOT_ATTESTED
    assert (await world.request("other"))["timings"]["reusedConnection"] is True
    world.config.unlink()
    assert (await refused(world.request("other"))).code == methods.PROVIDER_NOT_ATTESTED


# Errors of the other side.


async def test_a_refused_server_is_named_with_its_claims(
    world: World, provider: SimulatedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write(provider.config_toml("tee"))
    play(provider, monkeypatch, replaying)
    error = await refused(world.request(body={"input": "secret"}))
    assert error.code == methods.ATTESTATION_REJECTED
    assert error.data["verdict"] == "rejected"
    failed = [claim["name"] for claim in error.data["claims"] if claim["verdict"] == "failed"]
    assert "freshness" in failed
    assert provider.record.api_bytes == 0


async def test_nobody_listens(world: World, provider: SimulatedProvider) -> None:
    world.write(provider.config_toml("tee"))
    await provider.stop()
    error = await refused(world.request(timeoutMs=100))
    assert error.message == (
        f"not finished within 0.1 s: cannot connect to localhost:{provider.port}: "
        "Connection refused"
    )
    assert (error.code, error.data) == (
        methods.UNREACHABLE,
        {"step": "tcp", "host": "localhost"},
    )


async def test_no_pccs(world: World, provider: SimulatedProvider) -> None:
    world.write(provider.config_toml("tee"))
    await provider.stop_pccs()
    error = await refused(world.request(body={}))
    assert (error.code, error.data["step"]) == (methods.UNREACHABLE, "pccs")
    assert provider.record.api_bytes == 0


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/x 200 s3cret\r\n\r\n",
        b"s3cret\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ns3cret\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: s3cret\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: s3cret\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\ns3cret\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ns3cret",
    ],
)
async def test_a_malformed_answer_is_not_repeated_in_the_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    async def raw(wire: Wire) -> None:
        await wire.send(answer)
        await wire.finish()

    async with (
        serve(api=Api(answer=lambda: Response(200, deliver=raw))) as provider,
        a_world(tmp_path, monkeypatch, trusting=[provider]) as world,
    ):
        world.write(provider.config_toml("tee"))
        error = await refused(world.request(body={"input": "s3cret"}))
        assert error.code == methods.BROKEN_RESPONSE
        assert "s3cret" not in error.message
        assert len(error.message) > len("no answer came: ")


# Credentials.


async def test_headers_and_query_as_codex_applies_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: SimulatedProvider
) -> None:
    environment = {"KEY": " sk-1\n", "TEAM": "t", "EMPTY": " "}
    async with a_world(
        tmp_path, monkeypatch, trusting=[provider], environment=environment
    ) as world:
        world.write(
            provider.config_toml("tee", env_key="KEY")
            + '\n[model_providers.tee.http_headers]\nX-One = "1"\nX-Two = "2"\n'
            + '[model_providers.tee.env_http_headers]\nX-Team = "TEAM"\nX-No = "EMPTY"\n'
            + 'X-Unset = "UNSET"\n[model_providers.tee.query_params]\napi-version = "a b&c"\n'
        )
        echoed = (
            await world.request(
                path="/test/echo?x=1", headers={"X-Three": "mine"}, query={"y": "ä"}
            )
        )["body"]
        headers = echoed["headers"]
        assert headers["authorization"] == "Bearer sk-1"
        assert (headers["x-one"], headers["x-two"], headers["x-team"]) == ("1", "2", "t")
        assert headers["x-three"] == "mine"
        for name in ("x-TWO", "x-team", "X-Unset"):
            error = await refused(world.request(path="/test/echo", headers={name: "mine"}))
            assert error.code == methods.INVALID_PARAMS
            assert error.data == {
                "where": f"headers.{name}",
                "why": "is set by the provider's configuration",
            }
        assert "x-no" not in headers
        assert "x-unset" not in headers
        assert headers["accept-encoding"] == "identity"
        assert echoed["target"] == "/v1/test/echo?api-version=a+b%26c&x=1&y=%C3%A4"


async def test_a_key_goes_to_the_attested_api_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        serve(api=OpenAi(api_key="sk-1")) as provider,
        a_world(tmp_path, monkeypatch, trusting=[provider], environment={"KEY": "sk-1"}) as world,
    ):
        world.write(provider.config_toml("tee", env_key="KEY"))
        assert (await world.request())["status"] == 200
        for request in provider.record.requests:
            assert ("authorization" in request.header_names) is not request.is_quote


async def test_a_missing_key_is_named_and_nothing_contacted(
    world: World, provider: SimulatedProvider
) -> None:
    world.write(provider.config_toml("tee", env_key="TEE_API_KEY"))
    error = await refused(world.request())
    assert error.code == methods.INVALID_PARAMS
    assert error.data["where"] == "model_providers.tee.env_key"
    assert "environment variable `TEE_API_KEY` is not set" in error.message
    assert not provider.record.connections


class Unread(dict[str, str]):
    """An environment of which nothing but CODEX_HOME and SSL_CERT_FILE may be read."""

    def get(self, key: str, default: Any = None) -> Any:
        assert key in ("CODEX_HOME", "SSL_CERT_FILE"), key
        return super().get(key, default)

    def __getitem__(self, key: str) -> str:
        raise AssertionError(key)

    def __iter__(self) -> Any:
        raise AssertionError("names were read")


async def test_untrusted_nothing_is_contacted_and_no_key_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: SimulatedProvider
) -> None:
    async with a_world(
        tmp_path,
        monkeypatch,
        trusting=[provider],
        settings={"trusted": False},
        environment={"KEY": "sk-1"},
        kind=Unread,
    ) as world:
        uri = world.open(provider.config_toml("tee", env_key="KEY"))
        world.session.save(uri)
        for request in (
            world.request(),
            world.request("nobody"),
            world.session.attest(uri, "tee"),
        ):
            assert (await refused(request)).code == methods.UNTRUSTED
        statuses = await world.statuses(refresh=True)
        assert [status["state"] for status in statuses] == ["untrusted"]
        assert [item.code for item in world.shown[uri] if item.code.startswith("attest")] == []
        await meanwhile(tmp_path, monkeypatch)
    assert not provider.record.connections
    assert not provider.record.pccs_targets


WAYS = ("..", "linked folder", "link", "hard link")


def another_way(world: World, file: Path, way: str) -> str:
    """Another URI of what is at `file`."""
    if way == "..":
        return f"file://{file.parent}/../{file.parent.name}/{file.name}"
    link = world.config.parents[1] / "other"
    if way == "linked folder":
        link.symlink_to(file.parent)
        return f"file://{link}/{file.name}"
    (link.symlink_to if way == "link" else link.hardlink_to)(file)
    return link.as_uri()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("own", [True, False], ids=["own", "project"])
async def test_an_open_text_counts_by_every_name_of_its_file(
    world: World, provider: SimulatedProvider, own: bool, way: str
) -> None:
    """What is on disk would be sent."""
    text = provider.config_toml("tee")
    world.write(text if own else "")
    file = world.config if own else world.config.parents[1] / "repository/.codex/config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    other = another_way(world, file, way)
    refusing = text.replace(provider.measurements["mrtd"], "ab" * 48)
    world.session.open(file.as_uri(), refusing, 1)
    error = await refused(world.request(uri=other))
    assert error.code == methods.ATTESTATION_REJECTED
    (status,) = await world.statuses(uri=other)
    assert status["uri"] == file.as_uri()
    world.session.close(file.as_uri())
    assert (await world.request(uri=other))["status"] == 200
