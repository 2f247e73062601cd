"""`POST /tdx_quote`: from a nonce to a quote answer, in both generations of servers.

Invariant: report data, registers and log are made for the very session that the request came on,
unless the scenario says otherwise.
"""

from __future__ import annotations

import json
import re
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from .event_log import APP_COMPOSE, make_event_log, replay, without_digests
from .http import JSON, Request, Response
from .quote import TdReport, sign
from .scenario import Log, Scenario, Session, edited, nonce_only, session_bound

_NONCE = re.compile(r"[0-9a-fA-F]{64}")
_KEYS = {"v1": "nonce_hex", "v0": "report_data"}


def nonce_of(scenario: Scenario, request: Request) -> bytes | None:
    """The client's nonce; None if the request does not fit this generation of servers."""
    try:
        nonce = json.loads(request.body)[_KEYS[scenario.generation]]
    except (ValueError, LookupError, TypeError):
        return None
    if not isinstance(nonce, str) or not _NONCE.fullmatch(nonce):
        return None
    return bytes.fromhex(nonce)


def answer_quote(scenario: Scenario, session: Session) -> Response:
    """The answer to a quote request on `session`."""
    body = json.dumps(edited(quote_answer(scenario, session), scenario.answer)).encode()
    return respond(scenario, edited(body, scenario.answer_body))


def respond(scenario: Scenario, body: bytes) -> Response:
    """A quote answer with `body`."""
    return edited(Response(200, [("Content-Type", JSON)], body), scenario.quote)


def refuse(scenario: Scenario) -> Response:
    """What a server says to a request that it does not understand."""
    detail = f"{_KEYS[scenario.generation]}: 32 bytes in hex are required"
    return Response(422, [("Content-Type", JSON)], json.dumps({"detail": detail}).encode())


def quote_answer(scenario: Scenario, session: Session) -> dict[str, Any]:
    """The quote answer before anyone wrote it down."""
    session = edited(session, scenario.session)
    log = measured_log(scenario, session.leaf)
    report = td_report(scenario, log)
    bind = scenario.report_data or (session_bound if scenario.generation == "v1" else nonce_only)
    report.report_data = bind(session)
    report = edited(report, scenario.report)
    quote = edited(sign(report, scenario.dcap, scenario.quote_options), scenario.minted)
    told = edited(without_digests(log) if scenario.empty_digests else log, scenario.told_log)
    return {
        "success": True,
        "quote": {
            "quote": quote.hex(),
            "event_log": told if told is None else json.dumps(told),
            "report_data": report.report_data.hex(),
            "vm_config": json.dumps({"cpu_count": 8, "memory_size": 16 << 30}),
        },
        "tcb_info": _tcb_info(report),
        "timestamp": datetime.now(UTC).isoformat(),
        "quote_type": "tdx",
    }


def measured_log(scenario: Scenario, leaf: bytes) -> Log:
    """The event log as measured; both generations of servers announce their certificate."""
    return edited(make_event_log(leaf, scenario.log_version), scenario.log)


def td_report(scenario: Scenario, log: Log) -> TdReport:
    """The TD as `log` measured it, for no session yet."""
    report = deepcopy(scenario.td_report)
    report.rtmrs = replay(log)
    return report


def _tcb_info(report: TdReport) -> dict[str, Any]:
    """What dstack tells of itself beside the quote; no verifier may believe it."""
    registers = {f"rtmr{index}": value.hex() for index, value in enumerate(report.rtmrs)}
    return {"mrtd": report.mrtd.hex(), **registers, "app_compose": APP_COMPOSE}
