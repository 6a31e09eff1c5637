"""Local servers that measured functions call: collector, X-Ray daemon, secrets, gateway."""

import json
import socket
import ssl
import tempfile
import threading
from importlib import resources
from pathlib import Path
from typing import Final

from benchmarks import certificate
from benchmarks.runtime import LoopbackServer, QuietHandler

ANSWER: Final = {
    "answer": "Save three months of expenses [1].",
    "status": "answered",
    "stop_reason": "end_turn",
    "citations": [
        {
            "marker": 1,
            "document_id": "savings",
            "passage_id": "savings#0",
            "title": "Savings",
            "page": None,
            "as_of": None,
            "quote": "Keep three months of expenses where you can reach them.",
            "start": 0,
            "end": 55,
            "spans": [{"start": 0, "end": 34}],
            "score": 0.8,
        }
    ],
    "removed": [],
    "question_figures": [],
    "relevance": "relevant",
    "disclosure": "An AI system wrote this answer.",
    "usage": {"input_tokens": 100, "output_tokens": 10},
    "model_id": "benchmark",
    "answer_id": "a_benchmark",
    "conversation_id": "c_benchmark",
}


class _Daemon:
    """Replaces the X-Ray daemon: a UDP socket that counts the datagrams it receives."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        host, port = self._socket.getsockname()
        self.address = f"{host}:{port}"
        self.datagrams = 0
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    def _receive(self) -> None:
        while self._socket.recv(65_536):
            self.datagrams += 1

    def close(self) -> None:
        host, port = self.address.split(":")
        self._socket.sendto(b"", (host, int(port)))  # an empty datagram ends the thread
        self._thread.join()
        self._socket.close()


class Surroundings:
    """The servers, and the environment variables with which a function calls them.

    The collector speaks HTTP, as Lambda's does. AWS and the gateway speak HTTPS, so that every
    candidate pays for TLS: their certificate is at the end of the usual bundle of authorities,
    which costs each client as much to load as on AWS.
    """

    def __init__(self) -> None:
        self._requests = 0
        self._folder = tempfile.TemporaryDirectory()
        self._authorities = Path(self._folder.name, "authorities.pem")
        own, key = Path(self._folder.name, "server.pem"), Path(self._folder.name, "key.pem")
        certificate.write(own, key)
        usual = resources.files("botocore").joinpath("cacert.pem").read_text()
        self._authorities.write_text(usual + own.read_text())
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(own, key)
        self._collector = LoopbackServer(self._handler())
        self._server = LoopbackServer(self._handler(), tls=tls)
        self._daemon = _Daemon()

    def close(self) -> None:
        """Stop the servers."""
        for server in (self._collector, self._server):
            server.shutdown()
            server.server_close()
        self._daemon.close()
        self._folder.cleanup()

    @property
    def exports(self) -> int:
        """The number of OTLP requests and X-Ray datagrams received so far."""
        return self._requests + self._daemon.datagrams

    def variables(self, *, tracing: bool = True) -> dict[str, str]:
        """Return a function's environment, with tracing on or off."""
        url = f"https://{self._server.address}"
        return {
            "PROJECT_NAME": "fin-advisor",
            "ENVIRONMENT": "dev",
            "SERVICE_NAME": "api",
            "LOG_LEVEL": "INFO",
            "API_GATEWAY_URL": f"{url}/dev",
            "PEER_SERVICES": "chat",
            # No candidate but ours has scopes of keys.
            "ENABLE_SERVICE_API_KEYS": "false",
            "ENABLE_TRACING": str(tracing).lower(),
            "OTLP_ENDPOINT": f"http://{self._collector.address}",
            "SSL_CERT_FILE": str(self._authorities),
            "AWS_CA_BUNDLE": str(self._authorities),
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "benchmark",
            "AWS_SECRET_ACCESS_KEY": "benchmark",
            # Powertools' names for the same settings. Its tracer sends spans to the daemon by UDP.
            "POWERTOOLS_SERVICE_NAME": "api",
            "POWERTOOLS_LOG_LEVEL": "INFO",
            "POWERTOOLS_TRACE_DISABLED": str(not tracing).lower(),
            "AWS_XRAY_DAEMON_ADDRESS": self._daemon.address,
        }

    def _handler(self) -> type[QuietHandler]:
        surroundings = self

        class Handler(QuietHandler):
            def do_POST(self) -> None:
                self.body()
                if self.path.endswith("/v1/traces"):
                    surroundings._requests += 1
                    self.answer(200, b"", {"content-type": "application/x-protobuf"})
                elif self.path.endswith("/chat/messages"):
                    answer = json.dumps(ANSWER).encode()
                    self.answer(200, answer, {"content-type": "application/json"})
                else:  # Secrets Manager's JSON protocol posts everything to the root
                    secret = {"Name": "api-key", "VersionId": "1", "SecretString": "k" * 40}
                    content_type = {"content-type": "application/x-amz-json-1.1"}
                    self.answer(200, json.dumps(secret).encode(), content_type)

        return Handler
