"""What a measured function talks to: a collector, Secrets Manager, and the gateway."""

import json
from typing import Final

from benchmarks.runtime import LoopbackServer, QuietHandler

ANSWER: Final = {
    "message": {"role": "assistant", "content": "Save three months of expenses [savings#0]."},
    "citations": [
        {
            "document_id": "savings",
            "passage_id": "savings#0",
            "title": "Savings",
            "passage": "Keep three months of expenses where you can reach them.",
            "score": 0.8,
        }
    ],
    "usage": {"input_tokens": 100, "output_tokens": 10},
    "model_id": "benchmark",
}


class _Handler(QuietHandler):
    def do_POST(self) -> None:
        self.body()
        if self.path.endswith("/v1/traces"):
            self.answer(200, b"", {"content-type": "application/x-protobuf"})
        elif self.path.endswith("/chat/messages"):
            self.answer(200, json.dumps(ANSWER).encode(), {"content-type": "application/json"})
        else:  # Secrets Manager's JSON protocol posts everything to the root
            secret = {"Name": "api-key", "VersionId": "1", "SecretString": "k" * 40}
            self.answer(
                200, json.dumps(secret).encode(), {"content-type": "application/x-amz-json-1.1"}
            )


class Surroundings:
    """One loopback server for all of it, and the environment that points a function there."""

    def __init__(self) -> None:
        self._server = LoopbackServer(_Handler)

    def close(self) -> None:
        """Stop the server."""
        self._server.shutdown()
        self._server.server_close()

    def variables(self, *, tracing: bool = True, logging: bool = True) -> dict[str, str]:
        """Return a function's environment."""
        url = f"http://{self._server.address}"
        return {
            "PROJECT_NAME": "fin-advisor",
            "ENVIRONMENT": "dev",
            "SERVICE_NAME": "api",
            "LOG_LEVEL": "INFO" if logging else "CRITICAL",
            "API_GATEWAY_URL": f"{url}/dev",
            "CHAT_MODEL_ID": "benchmark",
            "ENABLE_TRACING": str(tracing).lower(),
            "OTLP_ENDPOINT": url,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "benchmark",
            "AWS_SECRET_ACCESS_KEY": "benchmark",
            # Powertools' own names for the same things; its tracer sends to the daemon, by UDP.
            "POWERTOOLS_SERVICE_NAME": "api",
            "POWERTOOLS_LOG_LEVEL": "INFO" if logging else "CRITICAL",
            "POWERTOOLS_TRACE_DISABLED": str(not tracing).lower(),
            "AWS_XRAY_DAEMON_ADDRESS": self._server.address,
        }
