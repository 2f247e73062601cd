"""Collateral: fetched within limits, cached while it counts, never poisoned."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import stat
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path

import dcap_qvl
import httpcore
import pytest

from ratls_ls.atls import pccs
from ratls_ls.atls.errors import Step, UnreachableError
from ratls_ls.atls.pccs import CollateralStore
from ratls_ls.bounded import MAX_FILE_BYTES
from ratls_ls.rats import collateral as collaterals
from ratls_ls.rats import strict_json
from ratls_ls.rats.collateral import Collateral
from ratls_ls.rats.quote import CollateralKey
from ratls_ls.simulator import SimulatedProvider, serve
from ratls_ls.simulator.collateral import TcbOptions, make_collateral
from ratls_ls.simulator.listener import Accepted, Listener
from ratls_ls.simulator.pki import FMSPC, dcap_pki
from ratls_ls.simulator.quote import TdReport, mint
from tests.pipes import lonely_pipe

KEY = CollateralKey(FMSPC, "platform")
DAY = 24 * 3600
DOCUMENTS = 4  # of which one PCCS has all


def made(now: int, evaluation: int = 20) -> Collateral:
    return make_collateral(dcap_pki(), now, TcbOptions(evaluation=evaluation))


@pytest.fixture
async def provider() -> AsyncIterator[SimulatedProvider]:
    async with serve() as simulated:
        yield simulated


async def test_fetched_collateral_is_what_was_signed(provider: SimulatedProvider) -> None:
    fetched = await pccs.fetch(provider.pccs_url, KEY)
    assert collaterals.evaluation_number(fetched) == 20
    assert collaterals.wrong_signer(fetched) is None


@pytest.mark.parametrize(
    "path",
    [
        *("", "/", "/tdx/certification/v4", "/tdx/certification/v4//", "/sgx/certification/v4"),
        *(
            "/sgx/certification/v4/sgx/certification/v4",
            "/tdx/certification/v4/sgx/certification/v4",
        ),
    ],
)
async def test_every_spelling_that_codex_takes(provider: SimulatedProvider, path: str) -> None:
    url = provider.pccs_url.removesuffix("/tdx/certification/v4") + path
    # By this the RA-TLS fork fetches. What it makes of the answers is not asked for.
    with suppress(ValueError, RuntimeError):
        await dcap_qvl.get_collateral(url, mint(TdReport(), dcap_pki()))
    theirs = {target.partition("?")[0] for target in provider.record.pccs_targets}
    provider.record.pccs_targets.clear()
    fetched = await pccs.fetch(url, KEY)
    assert collaterals.wrong_signer(fetched) is None
    ours = {target.partition("?")[0] for target in provider.record.pccs_targets}
    assert ours == theirs


async def test_a_pccs_behind_a_path(provider: SimulatedProvider) -> None:
    with pytest.raises(UnreachableError):
        await pccs.fetch(provider.pccs_url.replace("/tdx", "/a/tdx"), KEY)
    assert all(target.startswith("/a/") for target in provider.record.pccs_targets)


async def test_a_slow_pccs_has_all_the_time_there_is(
    provider: SimulatedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    send, limits = httpcore.AsyncConnectionPool.handle_async_request, []

    async def noted(
        pool: httpcore.AsyncConnectionPool, request: httpcore.Request
    ) -> httpcore.Response:
        limits.extend(request.extensions["timeout"].values())
        return await send(pool, request)

    monkeypatch.setattr(httpcore.AsyncConnectionPool, "handle_async_request", noted)
    await pccs.fetch(provider.pccs_url, KEY)
    assert set(limits) == {None}


async def test_a_silent_pccs_is_named_with_the_time_it_had(
    provider: SimulatedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.set_faults(["pccs-silent"])
    monkeypatch.setattr(pccs, "FETCH_SECONDS", 0.2)
    with pytest.raises(UnreachableError, match="did not answer within 0"):
        await pccs.fetch(provider.pccs_url, KEY)


async def test_a_fetch_that_is_cancelled_in_its_handshake_leaves_no_connection() -> None:
    """Not even one that would be closed with the garbage."""
    greeted: list[Accepted] = []
    left: list[Accepted] = []
    all_greeted, all_left = asyncio.Event(), asyncio.Event()

    async def silent(channel: Accepted) -> None:
        await channel.receive()
        greeted.append(channel)
        if len(greeted) == DOCUMENTS:
            all_greeted.set()
        with suppress(OSError):
            assert not await channel.receive()
        left.append(channel)
        if len(left) == DOCUMENTS:
            all_left.set()

    listener = Listener(silent)
    await listener.start()
    gc.disable()
    try:
        url = f"https://127.0.0.1:{listener.port}/tdx/certification/v4"
        fetching = asyncio.ensure_future(pccs.fetch(url, KEY))
        async with asyncio.timeout(5):
            await all_greeted.wait()
            fetching.cancel()
            await asyncio.wait([fetching])
            await all_left.wait()
    finally:
        gc.enable()
        await listener.stop()


async def test_a_fetch_leaves_no_connection_at_whatever_turn_it_is_cancelled(
    provider: SimulatedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    connecting = asyncio.Event()
    resolve = pccs.resolve

    async def noted(host: str, port: int) -> list[str]:
        found = await resolve(host, port)
        connecting.set()
        return found

    monkeypatch.setattr(pccs, "resolve", noted)
    for turns in count():
        connecting.clear()
        fetching = asyncio.ensure_future(pccs.fetch(provider.pccs_url, KEY))
        await connecting.wait()
        for _ in range(turns):
            await asyncio.sleep(0)
        was_done = fetching.done()
        fetching.cancel()
        await asyncio.wait([fetching])
        if was_done:
            break
    assert turns > 10
    gc.collect()  # warns of what was not closed


async def test_documents_are_read_within_reason_and_where_nobody_waits(
    provider: SimulatedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers = []
    too_many = strict_json.has_too_many_parts

    def noted(text: str) -> bool:
        readers.append(threading.current_thread())
        return too_many(text)

    monkeypatch.setattr(strict_json, "has_too_many_parts", noted)
    await pccs.fetch(provider.pccs_url, KEY)
    assert len(readers) == 2
    assert threading.main_thread() not in readers
    monkeypatch.setattr(strict_json, "MAX_PARTS", 9)
    with pytest.raises(UnreachableError, match="too many parts"):
        await pccs.fetch(provider.pccs_url, KEY)


async def test_any_loopback_address_may_be_http() -> None:
    with pytest.raises(UnreachableError) as caught:
        await pccs.fetch("http://127.0.0.2:1/tdx/certification/v4", KEY)
    assert "https" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["http://pccs.example/tdx/certification/v4", "http://127.0.0.1.example/tdx/certification/v4"],
)
async def test_plain_http_is_for_loopback_only(url: str) -> None:
    with pytest.raises(UnreachableError) as caught:
        await pccs.fetch(url, KEY)
    assert caught.value.step is Step.PCCS
    assert "https" in str(caught.value)


async def test_a_name_that_idna_does_not_know_is_the_users_to_mend() -> None:
    with pytest.raises(UnreachableError, match="xn--a"):
        await pccs.fetch("https://xn--a/tdx/certification/v4", KEY)


async def test_only_what_served_a_verification_is_cached(provider: SimulatedProvider) -> None:
    store, now = CollateralStore(None), int(time.time())
    first = await store.get(provider.pccs_url, KEY, now)
    asked = len(provider.record.pccs_targets)
    await store.get(provider.pccs_url, KEY, now)
    assert len(provider.record.pccs_targets) == 2 * asked
    store.keep(provider.pccs_url, KEY, first, 20, durable=True)
    await provider.stop_pccs()
    assert await store.get(provider.pccs_url, KEY, now) == first


async def test_expired_collateral_is_never_served(tmp_path: Path) -> None:
    store, now = CollateralStore(tmp_path), int(time.time())
    store.keep("http://127.0.0.1:1/tdx/certification/v4", KEY, made(now), 20, durable=True)
    for again in (store, CollateralStore(tmp_path)):
        with pytest.raises(UnreachableError):
            await again.get("http://127.0.0.1:1/tdx/certification/v4", KEY, now + 60 * DAY)


async def test_it_is_renewed_ahead_of_its_end(provider: SimulatedProvider) -> None:
    store, url = CollateralStore(None), provider.pccs_url
    now = int(time.time())
    old = made(now - 27 * DAY)
    store.keep(url, KEY, old, 20, durable=False)
    assert await store.get(url, KEY, now) == old
    await provider.record.wait_for(lambda record: len(record.pccs_targets) == 4)
    async with asyncio.timeout(5):
        # Nothing tells when a renewal that nobody waits for is there.
        while (renewed := await store.get(url, KEY, now)) == old:  # noqa: ASYNC110
            await asyncio.sleep(0)
    assert collaterals.expires_at(renewed) > collaterals.expires_at(old)
    # Not kept: it has verified nothing yet.
    assert await store.get(url, KEY, now) == old


async def renewed() -> None:
    """Returns when every renewal under way has ended."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    ours = [task for task in tasks if "_renew" in str(task.get_coro())]
    await asyncio.gather(*ours, return_exceptions=True)


async def test_a_renewal_ends_with_the_trust_that_allowed_it(provider: SimulatedProvider) -> None:
    store, url, now = CollateralStore(None), provider.pccs_url, int(time.time())
    store.keep(url, KEY, made(now - 27 * DAY), 20, durable=False)
    await store.get(url, KEY, now)
    store.stop()
    await renewed()
    assert provider.record.pccs_targets == []
    # What still runs by the settings before begins none, which nobody would end.
    await store.get(url, KEY, now)
    await renewed()
    assert provider.record.pccs_targets == []


async def test_a_renewal_that_fails_takes_nothing_away() -> None:
    store, url = CollateralStore(None), "http://127.0.0.1:1/tdx/certification/v4"
    now = int(time.time())
    old = made(now - 27 * DAY)
    store.keep(url, KEY, old, 20, durable=False)
    for _ in range(3):
        assert await store.get(url, KEY, now) == old
        await renewed()


async def test_files_are_private_shared_and_checked(tmp_path: Path) -> None:
    url, now = "http://127.0.0.1:1/tdx/certification/v4", int(time.time())
    kept = made(now)
    CollateralStore(tmp_path).keep(url, KEY, kept, 20, durable=True)
    (file,) = tmp_path.glob("collateral-*.json")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert await CollateralStore(tmp_path).get(url, KEY, now) == kept
    unnumbered = replace(
        kept, qe_identity=kept.qe_identity.replace("EvaluationDataNumber", "Other")
    )
    planted = collaterals.to_json(unnumbered).encode()
    for corrupt in (b"", b"{", b"\xff", b"[" * 100_000, file.read_bytes()[:-9], planted):
        file.write_bytes(corrupt)
        with pytest.raises(UnreachableError):
            await CollateralStore(tmp_path).get(url, KEY, now)


async def test_pipes_in_their_place_are_waited_for_by_nobody(tmp_path: Path) -> None:
    url, now = "http://127.0.0.1:1/tdx/certification/v4", int(time.time())
    kept = made(now)
    CollateralStore(tmp_path).keep(url, KEY, kept, 20, durable=True)
    (cached,), (noted,) = (tmp_path.glob(each) for each in ("collateral-*", "tcb-evaluation-*"))
    with lonely_pipe(cached), lonely_pipe(noted):
        store = CollateralStore(tmp_path)
        with pytest.raises(UnreachableError):
            await store.get(url, KEY, now)
        with pytest.raises(UnreachableError, match="no regular file"):
            store.floor(KEY.fmspc)
        for durable in (False, True):
            store.keep(url, KEY, kept, None, durable=durable)
    noted.unlink()
    assert await CollateralStore(tmp_path).get(url, KEY, now) == kept


async def test_simulated_collateral_reaches_no_other_process(tmp_path: Path) -> None:
    url, now = "http://127.0.0.1:1/tdx/certification/v4", int(time.time())
    store = CollateralStore(tmp_path)
    store.keep(url, KEY, made(now), 20, durable=False)
    assert await store.get(url, KEY, now) is not None
    assert list(tmp_path.iterdir()) == []


async def test_what_is_cleared_is_on_no_disk(tmp_path: Path) -> None:
    url, now = "http://127.0.0.1:1/tdx/certification/v4", int(time.time())
    store = CollateralStore(tmp_path)
    store.keep(url, KEY, made(now), 20, durable=True)
    assert await CollateralStore(tmp_path).get(url, KEY, now) is not None
    store.clear()
    for each in (store, CollateralStore(tmp_path)):
        with pytest.raises(UnreachableError):
            await each.get(url, KEY, now)


def test_the_highest_assessment_is_remembered_and_survives_clearing(tmp_path: Path) -> None:
    url, now = "http://127.0.0.1:1/tdx/certification/v4", int(time.time())
    store = CollateralStore(tmp_path)
    store.keep(url, KEY, made(now, 20), 20, durable=True)
    store.keep(url, KEY, made(now, 19), 19, durable=True)
    store.clear()
    assert store.floor(KEY.fmspc) == 20
    assert CollateralStore(tmp_path).floor(KEY.fmspc) == 20
    assert CollateralStore(tmp_path).floor("000000000000") == 0


def test_no_window_forgets_what_another_saw(tmp_path: Path) -> None:
    url, now = "http://127.0.0.1:1/tdx/certification/v4", int(time.time())
    one, other = CollateralStore(tmp_path), CollateralStore(tmp_path)
    one.keep(url, KEY, made(now, 17), 17, durable=True)
    assert other.floor(KEY.fmspc) == 17
    other.keep(url, KEY, made(now, 20), 20, durable=True)
    assert one.floor(KEY.fmspc) == 20
    # One that was judged before the other saw more, and is kept after.
    one.keep(url, KEY, made(now, 18), 18, durable=True)
    assert one.floor(KEY.fmspc) == 20
    assert CollateralStore(tmp_path).floor(KEY.fmspc) == 20


@pytest.mark.parametrize("damage", [b"", b"\n2", b"\0" * 9, b"\n\xff\n", b"\n" + b"9" * 9999])
def test_what_an_early_end_leaves_of_a_note_takes_no_other_away(
    tmp_path: Path, damage: bytes
) -> None:
    url, now = "http://127.0.0.1:1/tdx/certification/v4", int(time.time())
    CollateralStore(tmp_path).keep(url, KEY, made(now, 20), 20, durable=True)
    (file,) = tmp_path.glob("tcb-evaluation-*")
    file.write_bytes(file.read_bytes() + damage)
    assert CollateralStore(tmp_path).floor(KEY.fmspc) == 20
    CollateralStore(tmp_path).keep(url, KEY, made(now, 21), 21, durable=True)
    assert CollateralStore(tmp_path).floor(KEY.fmspc) == 21


def as_a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (as_a_folder, "no regular file"),
        (lambda file: file.write_bytes(b"\0" * 4), "it holds no number"),
        (lambda file: file.write_text('{"evaluation": 2'), "it holds no number"),
        # As a floor it would lock the user out, and no message would name the file.
        (lambda file: file.write_text("9" * 10), "it holds no number"),
        (lambda file: os.truncate(file, MAX_FILE_BYTES + 1), "larger than"),
    ],
)
async def test_where_nobody_can_tell_what_was_seen_nothing_is_served_and_the_file_is_named(
    tmp_path: Path, damage: Callable[[Path], None], why: str
) -> None:
    url, now = "http://127.0.0.1:1/tdx/certification/v4", int(time.time())
    store = CollateralStore(tmp_path)
    store.keep(url, KEY, made(now), 20, durable=True)
    (file,) = tmp_path.glob("tcb-evaluation-*")
    damage(file)
    for each in (store, CollateralStore(tmp_path)):
        with pytest.raises(UnreachableError) as caught:
            await each.get(url, KEY, now)
        assert f"{file}: {why}" in str(caught.value)
        with pytest.raises(UnreachableError):
            each.keep(url, KEY, made(now, 19), 19, durable=True)


def test_a_file_that_nothing_was_noted_in_yet_is_no_damage(tmp_path: Path) -> None:
    url, now = "http://127.0.0.1:1/tdx/certification/v4", int(time.time())
    CollateralStore(tmp_path).keep(url, KEY, made(now), 20, durable=True)
    (file,) = tmp_path.glob("tcb-evaluation-*")
    file.write_bytes(b"")
    assert CollateralStore(tmp_path).floor(KEY.fmspc) == 0


def test_what_cannot_be_noted_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    url, now = "http://127.0.0.1:1/tdx/certification/v4", int(time.time())
    nowhere = tmp_path / "file"
    nowhere.write_bytes(b"")
    store = CollateralStore(nowhere)
    store.keep(url, KEY, made(now), 20, durable=True)
    assert store.floor(KEY.fmspc) == 20
    assert str(nowhere) in caplog.text


async def test_cached_collateral_below_what_was_seen_is_fetched_anew(
    provider: SimulatedProvider,
) -> None:
    store, now, url = CollateralStore(None), int(time.time()), provider.pccs_url
    store.keep(url, KEY, made(now, 18), 18, durable=False)
    assert collaterals.evaluation_number(await store.get(url, KEY, now)) == 18
    # By another spelling, or another PCCS.
    store.keep(f"{url}/", KEY, made(now, 20), 20, durable=False)
    assert provider.record.pccs_targets == []
    assert collaterals.evaluation_number(await store.get(url, KEY, now)) == 20


async def test_a_renewal_that_is_rolled_back_takes_nothing_away(
    provider: SimulatedProvider,
) -> None:
    store, now, url = CollateralStore(None), int(time.time()), provider.pccs_url
    old = made(now - 27 * DAY, 21)
    store.keep(url, KEY, old, 21, durable=False)
    for _ in range(3):
        assert await store.get(url, KEY, now) == old
        await renewed()
    assert provider.record.pccs_targets


async def test_what_another_window_fetched_is_found_where_ones_own_no_longer_counts(
    tmp_path: Path,
) -> None:
    url, now = "http://127.0.0.1:1/tdx/certification/v4", int(time.time())
    one, other = CollateralStore(tmp_path), CollateralStore(tmp_path)
    one.keep(url, KEY, made(now, 18), 18, durable=True)
    newer = made(now, 20)
    other.keep(url, KEY, newer, 20, durable=True)
    assert await one.get(url, KEY, now) == newer


async def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pccs, "MAX_CACHED", 4)
    store, now = CollateralStore(None), int(time.time())
    kept = made(now)
    urls = [f"http://127.0.0.1:1/{index}/tdx/certification/v4" for index in range(6)]
    for url in urls:
        store.keep(url, KEY, kept, 20, durable=False)
    assert await store.get(urls[-1], KEY, now) == kept
    with pytest.raises(UnreachableError):
        await store.get(urls[0], KEY, now)


def test_processes_that_write_at_once_and_are_killed_corrupt_nothing(tmp_path: Path) -> None:
    now = int(time.time())
    context = multiprocessing.get_context("spawn")
    writers = [
        context.Process(target=_write_for_ever, args=(tmp_path, collaterals.to_json(made(now))))
        for _ in range(2)
    ]
    for writer in writers:
        writer.start()
    try:
        deadline = time.monotonic() + 30
        seen = 0
        while seen < 20 and time.monotonic() < deadline:
            for file in tmp_path.glob("collateral-*.json"):
                collaterals.from_json(file.read_text("utf-8"))
                seen += 1
    finally:
        for writer in writers:
            writer.kill()
            writer.join()
    assert seen >= 20
    for file in tmp_path.glob("collateral-*.json"):
        collaterals.from_json(file.read_text("utf-8"))


def _write_for_ever(directory: Path, text: str) -> None:
    while True:
        for number in range(100):
            store = CollateralStore(directory)
            store.keep(
                f"http://127.0.0.1/{number % 2}",
                KEY,
                collaterals.from_json(text),
                number,
                durable=True,
            )
