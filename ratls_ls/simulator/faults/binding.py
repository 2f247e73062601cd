"""Evidence that belongs to another TLS session than the one it is shown on."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from ratls_ls.rats.result import ClaimName
from ratls_ls.simulator.event_log import certificate_event, make_event_log
from ratls_ls.simulator.pki import web_leaf
from ratls_ls.simulator.scenario import Log, Scenario, Session, nonce_only, session_bound

from .fault import harmless, rejected

_OTHER_NONCE = bytes(range(32))


@rejected(ClaimName.CHANNEL_BINDING, 1, 9, 12, 13)
def relay(scenario: Scenario) -> None:
    """an attacker with the provider's certificate relays the quote of the genuine server"""
    scenario.relay = True


@rejected(ClaimName.FRESHNESS, 3, 4)
def replayed_quote(scenario: Scenario) -> None:
    """the quote was made for the nonce of an earlier connection"""
    scenario.session.append(lambda session: replace(session, nonce=_OTHER_NONCE))


@rejected(ClaimName.CHANNEL_BINDING, 1, 87, 89)
def zero_exporter(scenario: Scenario) -> None:
    """the quote is bound to zeros instead of the session's exporter"""
    scenario.session.append(lambda session: replace(session, exporter=bytes(32)))


@rejected(ClaimName.CHANNEL_BINDING, 1)
def key_instead_of_session(scenario: Scenario) -> None:
    """the quote is bound to nonce and server key, so a leaked key is enough to relay it"""

    def bind(session: Session) -> bytes:
        return hashlib.sha512(session.nonce + hashlib.sha256(session.leaf).digest()).digest()

    scenario.report_data = bind


@rejected(ClaimName.FRESHNESS, 5)
def half_report_data(scenario: Scenario) -> None:
    """the first half of the report data is right, the other is zeros"""
    scenario.report_data = lambda session: session_bound(session)[:32].ljust(64, b"\0")


@rejected(ClaimName.FRESHNESS, 5)
def empty_report_data(scenario: Scenario) -> None:
    """the report data is zeros"""
    scenario.report_data = lambda _: bytes(64)


@rejected(ClaimName.FRESHNESS, 6, 7, 8)
def right_words_beside_a_wrong_quote(scenario: Scenario) -> None:
    """the answer states the right report data; the signed quote carries other"""
    bound: list[bytes] = []

    def remember(session: Session) -> bytes:
        bound.append(session_bound(session))
        return bytes(64)

    def state(answer: dict[str, Any]) -> dict[str, Any]:
        answer["quote"]["report_data"] = answer["report_data"] = bound[-1].hex()
        return answer

    scenario.report_data = remember
    scenario.answer.append(state)


@harmless(2, 20)
def first_generation(scenario: Scenario) -> None:
    """a server of the first generation: nonce in the quote, certificate in the event log"""
    scenario.generation = "v0"


@rejected(ClaimName.CHANNEL_BINDING, 2, 21)
def nonce_without_certificate(scenario: Scenario) -> None:
    """the quote carries the nonce alone, and no event announces the certificate"""
    scenario.report_data = nonce_only
    scenario.log.append(lambda _: make_event_log(None))


@rejected(ClaimName.CHANNEL_BINDING, 21, 23)
def foreign_certificate(scenario: Scenario) -> None:
    """the event log announces another certificate than this session's"""
    scenario.generation = "v0"
    scenario.log.append(lambda _: make_event_log(_other_leaf(scenario)))


@rejected(ClaimName.CHANNEL_BINDING, 1, 21)
def quotes_for_anyone(scenario: Scenario) -> None:
    """the genuine server quotes any report data: somebody else with a valid certificate for its
    name has a quote made for his own session"""
    scenario.log.append(lambda _: make_event_log(_other_leaf(scenario)))


@rejected(ClaimName.EVENT_LOG, 1, 21, 34)
def quotes_for_anyone_without_a_log(scenario: Scenario) -> None:
    """as quotes-for-anyone, and the log that would tell is left out"""
    quotes_for_anyone(scenario)
    scenario.told_log.append(lambda _: None)


@rejected(ClaimName.CHANNEL_BINDING, 22)
def superseded_certificate(scenario: Scenario) -> None:
    """this session's certificate was announced, and another one after it"""
    scenario.generation = "v0"

    def rotate(log: Log) -> Log:
        return [*log, certificate_event(_other_leaf(scenario))]

    scenario.log.append(rotate)


def _other_leaf(scenario: Scenario) -> bytes:
    return web_leaf(scenario.pki.web).der
