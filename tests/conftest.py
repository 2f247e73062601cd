"""What holds for every test."""

from __future__ import annotations

import gc
import pwd
import socket
from collections.abc import Iterator
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is no finding; what a failure needs to be seen again is printed with it.
settings.register_profile(
    "project", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("project")


@pytest.fixture(autouse=True)
def nothing_left_open() -> Iterator[None]:
    """A socket or file that a test leaves open fails that test, not whichever runs when garbage is
    collected next."""
    yield
    gc.collect()
    gc.freeze()  # what is kept is looked at once


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user whom neither the environment nor the system knows a home of, as in a container."""

    def unknown(_: int) -> NoReturn:
        raise KeyError

    for variable in ("HOME", "CODEX_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port of 127.0.0.1 where a connection waits to be accepted, and no other may: Linux drops
    what comes then, as if nobody were there."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        with socket.create_connection(listener.getsockname()):
            yield listener.getsockname()[1]
