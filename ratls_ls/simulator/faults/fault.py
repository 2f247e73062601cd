"""One fault: what it plays, which threats, and what a good client makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ratls_ls.rats.result import ClaimName
from ratls_ls.simulator.scenario import Scenario

REJECTED = -32010  # attestationRejected
UNREACHABLE = -32013
BROKEN = -32015  # brokenResponse


@dataclass(frozen=True, slots=True)
class Fault:
    """`expects_code`: the error of an `attestedRequest`, None if it succeeds all the same, with
    `expects_status` as its HTTP status. `expects_claim`: must be among the failed claims.
    `expects_step`: in the data of `unreachable`. `hangs`: ends by the client's deadline alone.
    `threats`: numbers of the threat list. The request meant is a POST of `/chat/completions` with
    `"stream": true`, under a policy that pins every measurement of the honest server.
    """

    name: str
    title: str
    play: Callable[[Scenario], None]
    threats: tuple[int, ...]
    expects_code: int | None = None
    expects_claim: ClaimName | None = None
    expects_step: str | None = None
    expects_status: int = 200
    hangs: bool = False

    @property
    def before_attestation(self) -> bool:
        """Whether not one byte of a prompt may reach this server."""
        return self.expects_code in (REJECTED, UNREACHABLE)


Play = Callable[[Scenario], None]
FAULTS: dict[str, Fault] = {}


def rejected(claim: ClaimName, *threats: int) -> Callable[[Play], Play]:
    """The attestation is refused, by `claim` at least."""
    return lambda play: _register(play, threats, expects_code=REJECTED, expects_claim=claim)


def unreachable(step: str, *threats: int, hangs: bool = False) -> Callable[[Play], Play]:
    """The attestation does not get past `step`."""
    return lambda play: _register(
        play, threats, expects_code=UNREACHABLE, expects_step=step, hangs=hangs
    )


def broken(*threats: int, hangs: bool = False) -> Callable[[Play], Play]:
    """The server is attested, its answer then no good."""
    return lambda play: _register(play, threats, expects_code=BROKEN, hangs=hangs)


def harmless(*threats: int, status: int = 200) -> Callable[[Play], Play]:
    """The request succeeds all the same."""
    return lambda play: _register(play, threats, expects_status=status)


def _register(
    play: Play,
    threats: tuple[int, ...],
    *,
    expects_code: int | None = None,
    expects_claim: ClaimName | None = None,
    expects_step: str | None = None,
    expects_status: int = 200,
    hangs: bool = False,
) -> Play:
    """The function's name is the fault's, its docstring the title."""
    name = play.__name__.strip("_").replace("_", "-")
    if name in FAULTS or not play.__doc__:
        raise TypeError(f"fault {name} stands twice or has no title")
    FAULTS[name] = Fault(
        name,
        play.__doc__,
        play,
        threats,
        expects_code,
        expects_claim,
        expects_step,
        expects_status,
        hangs,
    )
    return play
