"""The server's entry: `python -m runner.server` answers on `PORT` until SIGTERM has drained it."""

import signal
from typing import TYPE_CHECKING, Any

import uvicorn

from runner.app import create_app
from runner.settings import Settings
from shared.settings import load_settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    app: FastAPI


def __getattr__(name: str) -> Any:
    # `uvicorn runner.server:app` works, and importing this module needs no environment.
    if name == "app":
        globals()["app"] = create_app(load_settings(Settings))
        return globals()["app"]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def main() -> None:
    """Serve until SIGTERM or SIGINT; requests in flight are answered first."""
    settings = load_settings(Settings)
    server: uvicorn.Server
    # A slice that is at work ends at its next step, and its job goes on elsewhere.
    application = create_app(settings, stopping=lambda: server.should_exit)
    server = uvicorn.Server(
        uvicorn.Config(
            application,
            host=settings.bind_host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            # Longer than the gateway's, so that it never writes to a connection being closed.
            timeout_keep_alive=75,
            timeout_graceful_shutdown=settings.drain_seconds,
        )
    )
    # uvicorn raises the signal again once it has drained; that must not look like a crash.
    signal.signal(signal.SIGTERM, lambda *_: None)
    server.run()


if __name__ == "__main__":
    main()
