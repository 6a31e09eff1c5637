"""The library that every service stands on; a name costs only what it needs.

The services import the submodules (`from shared.settings import …`), so that a package holds only
what its service uses; `from shared import …` is for everybody else.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # Marked, so that importing this package does not drag every module into every package.
    from shared.api_client import ServiceAPIClient, get_service_url  # pants: no-infer-dep
    from shared.app import create_service_app  # pants: no-infer-dep
    from shared.aws.api_keys import ApiKeyProvider, SecretsManagerKeys  # pants: no-infer-dep
    from shared.aws_lambda.entry import lambda_handler  # pants: no-infer-dep
    from shared.errors import ServiceError  # pants: no-infer-dep
    from shared.health import (
        create_health_endpoint,  # pants: no-infer-dep
        create_liveness_endpoint,  # pants: no-infer-dep
        create_readiness_endpoint,  # pants: no-infer-dep
        health_check_simple,  # pants: no-infer-dep
        health_router,  # pants: no-infer-dep
        liveness_probe_simple,  # pants: no-infer-dep
        readiness_probe_simple,  # pants: no-infer-dep
    )
    from shared.logging import configure_logging, get_logger  # pants: no-infer-dep
    from shared.middleware import LoggingMiddleware, logging_middleware  # pants: no-infer-dep
    from shared.models import (
        ErrorResponse,  # pants: no-infer-dep
        HealthResponse,  # pants: no-infer-dep
        InterServiceResponse,  # pants: no-infer-dep
        ServiceInfo,  # pants: no-infer-dep
        StatusResponse,  # pants: no-infer-dep
    )
    from shared.settings import (
        BaseAWSSettings,  # pants: no-infer-dep
        BaseServiceSettings,  # pants: no-infer-dep
        BaseTracingSettings,  # pants: no-infer-dep
        FullServiceSettings,  # pants: no-infer-dep
    )
    from shared.tracing import configure_tracing, get_tracer, instrument_app  # pants: no-infer-dep
else:
    _HOMES = {
        "ApiKeyProvider": "aws.api_keys",
        "BaseAWSSettings": "settings",
        "BaseServiceSettings": "settings",
        "BaseTracingSettings": "settings",
        "ErrorResponse": "models",
        "FullServiceSettings": "settings",
        "HealthResponse": "models",
        "InterServiceResponse": "models",
        "LoggingMiddleware": "middleware",
        "SecretsManagerKeys": "aws.api_keys",
        "ServiceAPIClient": "api_client",
        "ServiceError": "errors",
        "ServiceInfo": "models",
        "StatusResponse": "models",
        "configure_logging": "logging",
        "configure_tracing": "tracing",
        "create_health_endpoint": "health",
        "create_liveness_endpoint": "health",
        "create_readiness_endpoint": "health",
        "create_service_app": "app",
        "get_logger": "logging",
        "get_service_url": "api_client",
        "get_tracer": "tracing",
        "health_check_simple": "health",
        "health_router": "health",
        "instrument_app": "tracing",
        "lambda_handler": "aws_lambda.entry",
        "liveness_probe_simple": "health",
        "logging_middleware": "middleware",
        "readiness_probe_simple": "health",
    }

    def __getattr__(name: str) -> Any:
        """Import the module that a public name lives in, when it is first asked for (PEP 562)."""
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{home}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *_HOMES})


__all__ = [
    "ApiKeyProvider",
    "BaseAWSSettings",
    "BaseServiceSettings",
    "BaseTracingSettings",
    "ErrorResponse",
    "FullServiceSettings",
    "HealthResponse",
    "InterServiceResponse",
    "LoggingMiddleware",
    "SecretsManagerKeys",
    "ServiceAPIClient",
    "ServiceError",
    "ServiceInfo",
    "StatusResponse",
    "configure_logging",
    "configure_tracing",
    "create_health_endpoint",
    "create_liveness_endpoint",
    "create_readiness_endpoint",
    "create_service_app",
    "get_logger",
    "get_service_url",
    "get_tracer",
    "health_check_simple",
    "health_router",
    "instrument_app",
    "lambda_handler",
    "liveness_probe_simple",
    "logging_middleware",
    "readiness_probe_simple",
]
