"""moto's server in this process, with the stand-ins and a recorder before it."""

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.recording import Recorder
from tests.stand_ins import StandIns


@dataclass(frozen=True)
class EmbeddedAws:
    """Where it is, what was asked of it, and what it holds beside moto."""

    url: str
    recorder: Recorder
    stand_ins: StandIns

    def client(self, service: str, region: str = "us-east-1") -> Any:
        """A boto3 client of it."""
        import boto3

        return boto3.client(  # type: ignore[call-overload]
            service,
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )


@contextmanager
def embedded_aws(region: str = "us-east-1") -> Iterator[EmbeddedAws]:
    """An empty AWS on a free port of the loopback interface."""
    # Without them AWS's own policies cannot be attached; read when moto is imported.
    os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
    from moto.moto_server.werkzeug_app import (
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    stand_ins = StandIns(region)
    recorder = Recorder(stand_ins.front(DomainDispatcherApplication(create_backend_app)))
    server = make_server(
        "127.0.0.1", 0, recorder, threaded=True, request_handler=MotoRequestHandler
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield EmbeddedAws(f"http://127.0.0.1:{server.server_port}", recorder, stand_ins)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
