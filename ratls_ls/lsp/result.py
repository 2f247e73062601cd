"""What the custom methods give."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a whole answer. `name`: of the member of the result that it is; `json`: its
    value, as JSON in pieces."""

    name: str
    json: Sequence[bytes | bytearray] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a custom method: plain JSON values by name, and the body that came, if any."""

    members: dict[str, Any] = field(repr=False)
    body: Body | None = None

    def json(self) -> list[bytes | bytearray]:
        """All of it, in pieces."""
        members = json.dumps(self.members).encode()
        if self.body is None:
            return [members]
        return [b'{"%s": ' % self.body.name.encode(), *self.body.json, b", ", members[1:]]
