"""Lambda entry of key rotation: Secrets Manager's four steps and the hourly quota metrics."""

from functools import cache
from typing import TYPE_CHECKING, Any, cast

from rotation.settings import Settings
from shared.logging import configure_logging, get_logger
from shared.settings import load_settings

if TYPE_CHECKING:
    from botocore.session import Session
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

_STEP_FIELDS = ("Step", "SecretId", "ClientRequestToken")
_TRIAL_SECONDS = 40.0
# Left for the rest of the step, after the trial calls with the new key.
_RESERVE_SECONDS = 8.0
_PAUSE_SECONDS = 1.0


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Take one rotation step, or publish quotas and key ids for `{"task": "publish-quota"}`.

    Raises:
        Exception: The step failed. Secrets Manager retries it; the current key stays valid. The
            message never contains a key.
    """
    settings = _settings()
    if isinstance(event, dict) and event.get("task") == "publish-quota":
        return _publish_quota(settings)
    if not isinstance(event, dict) or not all(
        isinstance(event.get(field), str) for field in _STEP_FIELDS
    ):
        get_logger("rotation").warning("rotation_event_unknown", kind=type(event).__name__)
        return {
            "error": "invalid_request",
            "detail": "Expects a rotation step of Secrets Manager with "
            f"{', '.join(_STEP_FIELDS)}, or {{'task': 'publish-quota'}}.",
        }
    return _rotate(settings, event, context)


def _rotate(settings: Settings, event: dict[str, str], context: Any) -> dict[str, Any]:
    from rotation.steps import Rotation

    log = get_logger("rotation")
    step = event["Step"]
    try:
        Rotation(
            settings,
            secrets=_secrets_manager(),
            gateway=_api_gateway(),
            ssm=_ssm(),
            secret_id=event["SecretId"],
            version=event["ClientRequestToken"],
            trial_seconds=_trial_seconds(context),
            pause_seconds=_PAUSE_SECONDS,
        ).run(step)
    except Exception:
        log.exception("rotation_step_failed", step=step, secret_id=event["SecretId"])
        raise
    log.info("rotation_step_completed", step=step, secret_id=event["SecretId"])
    return {"step": step, "completed": True}


def _publish_quota(settings: Settings) -> dict[str, Any]:
    from rotation.key_ids import KeyIds
    from rotation.quota import Quotas, metric_line

    quotas = Quotas(settings, secrets=_secrets_manager(), gateway=_api_gateway())
    published: dict[str, int] = {}
    failed: list[str] = []
    for name in settings.usage_plan_ids:
        try:
            left = quotas.remaining(name)
        except Exception as error:  # noqa: BLE001 - the other plans must still be published
            failed.append(name)
            get_logger("rotation").error("quota_not_read", key_name=name, exc_info=error)
            continue
        if left is not None:
            published[name] = left[0]
            # Not through the logger: with a LOG_LEVEL of WARNING the metric would be missing.
            print(metric_line(settings, name, *left), flush=True)
    try:
        KeyIds(settings, ssm=_ssm(), gateway=_api_gateway()).store()
    except Exception as error:  # noqa: BLE001 - a plan that is gone must not hide the other failure
        get_logger("rotation").error("key_ids_not_stored", exc_info=error)
        failed.append("the ids of all keys")
    if failed:
        raise RuntimeError(f"These could not be read: {', '.join(failed)}.")
    return {"published": published}


def _trial_seconds(context: Any) -> float:
    """Return the time for the trial, within the function's own timeout."""
    left = getattr(context, "get_remaining_time_in_millis", None)
    if left is None:
        return _TRIAL_SECONDS
    return float(min(_TRIAL_SECONDS, max(0.0, left() / 1000 - _RESERVE_SECONDS)))


@cache
def _settings() -> Settings:
    settings = load_settings(Settings)
    configure_logging(
        settings.log_level,
        service_name=settings.service_name,
        environment=settings.environment,
    )
    return settings


# Not shared.aws: its errors are HTTP answers and would add FastAPI to this small package.
@cache
def _secrets_manager() -> "SecretsManagerClient":
    return cast("SecretsManagerClient", _session().create_client("secretsmanager"))


@cache
def _api_gateway() -> "APIGatewayClient":
    return cast("APIGatewayClient", _session().create_client("apigateway"))


@cache
def _ssm() -> Any:
    return _session().create_client("ssm")


@cache
def _session() -> "Session":
    from botocore.config import Config
    from botocore.session import Session

    session = Session()
    session.set_default_client_config(
        Config(
            connect_timeout=3,
            read_timeout=5,
            retries={"mode": "adaptive", "total_max_attempts": 4},
        )
    )
    return session
