"""The X-Amzn-Trace-Id header: read as API Gateway reads it, and written as it hands it on."""

import re
import secrets
import time
from dataclasses import dataclass, replace

_ROOT = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
_PARENT = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class TraceHeader:
    """`root` is the trace id that X-Ray shows, `parent` the 16 hex digits of a span."""

    root: str
    parent: str
    sampled: bool = True

    def below(self, span_id: str) -> "TraceHeader":
        """The same trace, for what is called inside of that span."""
        return replace(self, parent=span_id)

    def __str__(self) -> str:
        return f"Root={self.root};Parent={self.parent};Sampled={int(self.sampled)}"

    @classmethod
    def read(cls, value: str | None) -> "TraceHeader":
        """The caller's context where it is well formed; what is missing or malformed is made."""
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
