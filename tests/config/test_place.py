"""What a cursor touches."""

from __future__ import annotations

import pytest

from ratls_ls.config.place import header_path, place_at
from ratls_ls.config.read import read
from ratls_ls.config.toml.values import to_python

TEXT = """\
model = "m" # top
"ü" = 'é'
[model_providers."t e"]
  name = "TEE"
  ratls_policy = { tee_type = "Tdx", min_tdx_tcb.mrseam = "00", allowed_tdx_status = ["A", "B"] }
  http_headers.X = "1"
[broken.
x = 1
[again]
y = [ { z = 2 } ]
"""

TEE = ("model_providers", "t e")
POLICY = (*TEE, "ratls_policy")


@pytest.mark.parametrize(
    ("at", "path", "value"),
    [
        ("model =", ("model",), None),
        ('"m"', ("model",), "m"),
        ("'é'", ("ü",), "é"),
        ("model_providers", ("model_providers",), None),
        ('"t e"', TEE, None),
        ('"TEE"', (*TEE, "name"), "TEE"),
        ("tee_type", (*POLICY, "tee_type"), None),
        ('"Tdx"', (*POLICY, "tee_type"), "Tdx"),
        ("min_tdx_tcb", (*POLICY, "min_tdx_tcb"), None),
        ("mrseam", (*POLICY, "min_tdx_tcb", "mrseam"), None),
        ('"00"', (*POLICY, "min_tdx_tcb", "mrseam"), "00"),
        ('["A"', (*POLICY, "allowed_tdx_status"), ["A", "B"]),
        ('"B"', (*POLICY, "allowed_tdx_status"), "B"),
        ("X =", (*TEE, "http_headers", "X"), None),
        ("z =", ("again", "y", "z"), None),
    ],
)
def test_keys_and_values(at: str, path: tuple[str, ...], value: object) -> None:
    file = read(TEXT)
    place = place_at(file, TEXT.index(at))
    assert place is not None
    assert place.path == path
    assert (to_python(place.value) if place.value else None) == value
    if place.value is None:
        assert place.key.span.start == TEXT.index(at)


@pytest.mark.parametrize("at", ["top", "http_headers"])
def test_blanks_and_comments_are_no_place(at: str) -> None:
    before = TEXT.index(at) - 1
    assert place_at(read(TEXT), before) is None


@pytest.mark.parametrize(
    ("at", "path"),
    [("model =", ()), ("name", TEE), ("x = 1", None), ("y = [", ("again",)), ("z", ("again",))],
)
def test_headers(at: str, path: tuple[str, ...] | None) -> None:
    assert header_path(read(TEXT), TEXT.index(at)) == path


def test_a_byte_order_mark_is_before_everything() -> None:
    file = read("\ufeffa = 1")
    assert header_path(file, 0) == ()
    assert place_at(file, 0) is None
