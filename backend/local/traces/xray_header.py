"""The X-Amzn-Trace-Id header, parsed and forwarded as API Gateway does."""

import re
import secrets
import time
from dataclasses import dataclass, replace

_ROOT = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
_PARENT = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class TraceHeader:
    """`root` is the trace id in X-Ray's form, `parent` a span id of 16 hexadecimal digits."""

    root: str
    parent: str
    sampled: bool = True

    def child_of(self, span_id: str) -> "TraceHeader":
        """The header to send from inside the span `span_id` of this trace."""
        return replace(self, parent=span_id)

    def __str__(self) -> str:
        return f"Root={self.root};Parent={self.parent};Sampled={int(self.sampled)}"

    @classmethod
    def parse(cls, value: str | None) -> "TraceHeader":
        """Parse a caller's header; new ids replace those that are missing or malformed."""
        parts = dict(part.strip().partition("=")[::2] for part in (value or "").split(";"))
        root, parent = parts.get("Root", ""), parts.get("Parent", "")
        return cls(
            root=root if _ROOT.fullmatch(root) else new_root(),
            parent=parent if _PARENT.fullmatch(parent) else new_span_id(),
            sampled=parts.get("Sampled", "1") != "0",
        )


def new_span_id() -> str:
    return secrets.token_hex(8)


def new_root() -> str:
    return f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
