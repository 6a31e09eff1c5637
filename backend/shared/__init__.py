"""The shared library of all services. `from shared import X` loads only the module that defines X.

Services import the submodules instead (`from shared.settings import …`), so that a package contains
only the modules that its service uses.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # `no-infer-dep`: otherwise every package that imports `shared` would contain all of these.
    from shared.api_client import (
        BadAnswer,  # pants: no-infer-dep
        CallError,  # pants: no-infer-dep
        CallTimeout,  # pants: no-infer-dep
        KeyRefused,  # pants: no-infer-dep
        QuotaExceeded,  # pants: no-infer-dep
        RequestRefused,  # pants: no-infer-dep
        ServiceAPIClient,  # pants: no-infer-dep
        ServiceUnreachable,  # pants: no-infer-dep
        Throttled,  # pants: no-infer-dep
        UnsendableRequest,  # pants: no-infer-dep
        get_service_url,  # pants: no-infer-dep
    )
    from shared.app import create_service_app  # pants: no-infer-dep
    from shared.aws.api_keys import ApiKeyProvider, SecretsManagerKeys  # pants: no-infer-dep
    from shared.aws.clients import aws_client, aws_errors, error_code  # pants: no-infer-dep
    from shared.aws_lambda.entry import lambda_handler  # pants: no-infer-dep
    from shared.errors import (
        BadDependency,  # pants: no-infer-dep
        CapacityExceeded,  # pants: no-infer-dep
        Conflict,  # pants: no-infer-dep
        DeadlineExceeded,  # pants: no-infer-dep
        Forbidden,  # pants: no-infer-dep
        InvalidRequest,  # pants: no-infer-dep
        NotFound,  # pants: no-infer-dep
        PayloadTooLarge,  # pants: no-infer-dep
        ServiceError,  # pants: no-infer-dep
        TooManyRequests,  # pants: no-infer-dep
        Unauthenticated,  # pants: no-infer-dep
        Unavailable,  # pants: no-infer-dep
        Unprocessable,  # pants: no-infer-dep
        UserNotPermitted,  # pants: no-infer-dep
    )
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
        SettingsError,  # pants: no-infer-dep
        load_settings,  # pants: no-infer-dep
    )
    from shared.tracing import configure_tracing, get_tracer, instrument_app  # pants: no-infer-dep
else:
    # The module of each public name, below `shared`.
    _MODULE_OF = {
        "ApiKeyProvider": "aws.api_keys",
        "BadAnswer": "api_client",
        "BadDependency": "errors",
        "BaseAWSSettings": "settings",
        "BaseServiceSettings": "settings",
        "BaseTracingSettings": "settings",
        "CallError": "api_client",
        "CallTimeout": "api_client",
        "CapacityExceeded": "errors",
        "Conflict": "errors",
        "DeadlineExceeded": "errors",
        "ErrorResponse": "models",
        "Forbidden": "errors",
        "FullServiceSettings": "settings",
        "HealthResponse": "models",
        "InterServiceResponse": "models",
        "InvalidRequest": "errors",
        "KeyRefused": "api_client",
        "LoggingMiddleware": "middleware",
        "NotFound": "errors",
        "PayloadTooLarge": "errors",
        "QuotaExceeded": "api_client",
        "RequestRefused": "api_client",
        "SecretsManagerKeys": "aws.api_keys",
        "ServiceAPIClient": "api_client",
        "ServiceError": "errors",
        "ServiceInfo": "models",
        "ServiceUnreachable": "api_client",
        "SettingsError": "settings",
        "StatusResponse": "models",
        "Throttled": "api_client",
        "TooManyRequests": "errors",
        "Unauthenticated": "errors",
        "Unavailable": "errors",
        "Unprocessable": "errors",
        "UserNotPermitted": "errors",
        "UnsendableRequest": "api_client",
        "aws_client": "aws.clients",
        "aws_errors": "aws.clients",
        "configure_logging": "logging",
        "configure_tracing": "tracing",
        "create_health_endpoint": "health",
        "create_liveness_endpoint": "health",
        "create_readiness_endpoint": "health",
        "create_service_app": "app",
        "error_code": "aws.clients",
        "get_logger": "logging",
        "get_service_url": "api_client",
        "get_tracer": "tracing",
        "health_check_simple": "health",
        "health_router": "health",
        "instrument_app": "tracing",
        "lambda_handler": "aws_lambda.entry",
        "liveness_probe_simple": "health",
        "load_settings": "settings",
        "logging_middleware": "middleware",
        "readiness_probe_simple": "health",
    }

    def __getattr__(name: str) -> Any:
        """Import a public name at its first use (PEP 562)."""
        module = _MODULE_OF.get(name)
        if module is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{module}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *_MODULE_OF})


__all__ = [
    "ApiKeyProvider",
    "BadAnswer",
    "BadDependency",
    "BaseAWSSettings",
    "BaseServiceSettings",
    "BaseTracingSettings",
    "CallError",
    "CallTimeout",
    "CapacityExceeded",
    "Conflict",
    "DeadlineExceeded",
    "ErrorResponse",
    "Forbidden",
    "FullServiceSettings",
    "HealthResponse",
    "InterServiceResponse",
    "InvalidRequest",
    "KeyRefused",
    "LoggingMiddleware",
    "NotFound",
    "PayloadTooLarge",
    "QuotaExceeded",
    "RequestRefused",
    "SecretsManagerKeys",
    "ServiceAPIClient",
    "ServiceError",
    "ServiceInfo",
    "ServiceUnreachable",
    "SettingsError",
    "StatusResponse",
    "Throttled",
    "TooManyRequests",
    "Unauthenticated",
    "Unavailable",
    "Unprocessable",
    "UnsendableRequest",
    "UserNotPermitted",
    "aws_client",
    "aws_errors",
    "configure_logging",
    "configure_tracing",
    "create_health_endpoint",
    "create_liveness_endpoint",
    "create_readiness_endpoint",
    "create_service_app",
    "error_code",
    "get_logger",
    "get_service_url",
    "get_tracer",
    "health_check_simple",
    "health_router",
    "instrument_app",
    "lambda_handler",
    "liveness_probe_simple",
    "load_settings",
    "logging_middleware",
    "readiness_probe_simple",
]
