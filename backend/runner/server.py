"""The server: `python -m runner.server` listens on `PORT` and stops gracefully on SIGTERM."""

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
    # So `uvicorn runner.server:app` works, but importing this module needs no settings.
    if name == "app":
        globals()["app"] = create_app(load_settings(Settings))
        return globals()["app"]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def main() -> None:
    """Serve until SIGTERM or SIGINT; requests in flight are answered first."""
    settings = load_settings(Settings)
    server: uvicorn.Server
    # A running slice ends at its next step; another instance continues the job.
    application = create_app(settings, stopping=lambda: server.should_exit)
    server = uvicorn.Server(
        uvicorn.Config(
            application,
            host=settings.bind_host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            # Longer than the gateway's, so that the gateway never uses a connection being closed.
            timeout_keep_alive=75,
            timeout_graceful_shutdown=settings.drain_seconds,
        )
    )
    # After the shutdown uvicorn raises the signal again, which must not end in a crash.
    signal.signal(signal.SIGTERM, lambda *_: None)
    server.run()


if __name__ == "__main__":
    main()
