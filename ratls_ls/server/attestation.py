"""The custom methods, and the commands that attest.

What only they need is loaded when the first one comes: the answer to `initialize` does not wait.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lsprotocol import types

from ratls_ls.config.words import shown
from ratls_ls.lsp import methods
from ratls_ls.lsp.methods import MethodError

from .server import Server, answered

if TYPE_CHECKING:
    from ratls_ls.lsp.result import Answer


def register(server: Server) -> None:
    _register_methods(server)
    _register_commands(server)


def _register_methods(server: Server) -> None:
    @server.feature(methods.ATTESTED_REQUEST)
    @answered
    async def attested_request(ls: Server, params: object) -> Answer:
        from ratls_ls.lsp import answer
        from ratls_ls.lsp.params import AttestedRequestParams

        parsed = AttestedRequestParams.parse(params)
        writer = ls.writer

        async def emit(part: dict[str, Any]) -> None:
            token = parsed.partial_result_token
            if token is not None and answer.is_long(part):
                writer.send_json(await answer.long_progress(token, part))
            else:
                writer.stream(method=types.PROGRESS, params={"token": token, "value": part})
            await writer.drained()

        return await ls.session.attested_request(parsed, emit)

    @server.feature(methods.ATTESTATION_STATUS)
    @answered
    async def attestation_status(ls: Server, params: object) -> Answer:
        from ratls_ls.lsp.params import AttestationStatusParams
        from ratls_ls.lsp.result import Answer

        parsed = AttestationStatusParams.parse(params)
        return Answer(await ls.session.attestation_status(parsed))


def _register_commands(server: Server) -> None:
    @server.feature(types.WORKSPACE_EXECUTE_COMMAND)
    @answered
    async def execute_command(ls: Server, params: types.ExecuteCommandParams) -> None:
        command = ls.protocol.fm.commands.get(params.command)
        if command is None:
            raise methods.invalid_params("command", "there is no such command")
        await command(*(params.arguments or ()))

    @server.command(methods.ATTEST_COMMAND)
    async def attest(ls: Server, *arguments: Any) -> None:
        uri, provider = _texts(arguments, 1, 2)
        if not await ls.session.attest(uri, provider):
            message = "there is no such attested provider, or it has errors; nothing was contacted"
            raise MethodError(
                methods.PROVIDER_NOT_ATTESTED, message, ls.session.problems(uri, provider)
            )

    @server.command(methods.PIN_MEASUREMENTS_COMMAND)
    async def pin_measurements(ls: Server, *arguments: Any) -> None:
        from ratls_ls.language.pin import pin

        uri, provider = _texts(arguments, 2, 2)
        if uri is None or provider is None:
            raise methods.invalid_params("arguments", "the URI and the provider are required")
        entry, result = ls.session.verified(uri, provider)
        edits = pin(entry.file, entry.file.providers[provider], result)
        if not edits:
            ls.complain(f"every measurement of {shown(provider)} is pinned already")
            return
        edit = ls.converter(entry).workspace_edit(entry.version, edits)
        label = f"Pin the measurements of {shown(provider)}"
        applied = await ls.workspace_apply_edit_async(types.ApplyWorkspaceEditParams(edit, label))
        if not applied.applied:
            ls.complain(
                f"the editor did not take the pins of {shown(provider)}: {applied.failure_reason}"
            )

    @server.command(methods.CLEAR_CACHE_COMMAND)
    async def clear_cache(ls: Server, *arguments: Any) -> None:
        _texts(arguments, 0, 0)
        ls.session.clear_cache()


def _texts(arguments: tuple[Any, ...], least: int, most: int) -> tuple[str | None, str | None]:
    """Up to two texts. Raises MethodError."""
    if not least <= len(arguments) <= most:
        raise methods.invalid_params("arguments", f"{least} to {most} are taken")
    for index, argument in enumerate(arguments):
        if argument is not None and not isinstance(argument, str):
            raise methods.invalid_params(f"arguments[{index}]", "must be a string")
    first, second, *_ = (*arguments, None, None)
    return first, second
