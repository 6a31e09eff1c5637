"""The four steps of a rotation. Each is idempotent: Secrets Manager may repeat any of them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rotation.key_ids import KeyIds
from rotation.keys import GatewayKeys
from rotation.secret import CURRENT, PREVIOUS, RotatingSecret, RotationError
from rotation.settings import Settings
from rotation.trial import Trial
from shared.logging import get_logger

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

_log = get_logger("rotation")


class Rotation:
    """One rotation of one secret to a new version.

    Args:
        settings: The function's settings.
        secrets: The Secrets Manager client.
        gateway: The API Gateway client.
        ssm: The SSM client.
        secret_id: Name or ARN of the secret.
        version: The id of the new version, the event's `ClientRequestToken`.
        trial_seconds: The longest time that `test` may take.
        pause_seconds: The wait between two calls with the new key.

    Raises:
        RotationError: The secret is no API key of this environment, or the version is neither
            pending nor current.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        secrets: "SecretsManagerClient",
        gateway: "APIGatewayClient",
        ssm: Any,
        secret_id: str,
        version: str,
        trial_seconds: float = 40.0,
        pause_seconds: float = 1.0,
    ) -> None:
        self._secret = RotatingSecret(secrets, secret_id)
        self._secret.require_version(version)
        self._version = version
        self._name = key_name(settings, self._secret.name)
        self._plan = settings.usage_plan_ids[self._name]
        self._keys = gateway_keys(settings, gateway, self._name)
        self._key_ids = KeyIds(settings, ssm=ssm, gateway=gateway)
        self._url = settings.api_gateway_url + settings.path_of(self._name)
        self._trial = Trial(self._url, trial_seconds, pause_seconds)

    @property
    def steps(self) -> dict[str, Callable[[], None]]:
        """The steps by their names in Secrets Manager."""
        return {
            "createSecret": self.create,
            "setSecret": self.attach,
            "testSecret": self.test,
            "finishSecret": self.finish,
        }

    def run(self, step: str) -> None:
        """Take one step. If the version is current already, only `finishSecret` does anything."""
        action = self.steps.get(step)
        if action is None:
            raise RotationError(f"Step {step!r} is none of {', '.join(self.steps)}.")
        if self._secret.is_current(self._version) and step != "finishSecret":
            _log.info("rotation_step_repeated", step=step, key_name=self._name)
            return
        action()

    def create(self) -> None:
        """Create the new key, with a full quota, and store it as the pending version."""
        if self._secret.value_of(self._version) is not None:
            return
        key = self._keys.of_version(self._version) or self._keys.create(self._version)
        self._secret.put_pending(self._version, key.value)
        _log.info("rotation_key_made", key_name=self._name, key_id=key.id)

    def attach(self) -> None:
        """Publish the id of the new key, which `create` has added to its usage plan."""
        value = self._pending_value()
        key = self._keys.with_value(value)
        if key is None:
            raise RotationError(
                f"{self._secret.name}: usage plan {self._plan} has no key for the version."
            )
        self._key_ids.store()  # before the key is used: services refuse a key without a name
        _log.info("rotation_key_attached", key_name=self._name, key_id=key.id)

    def test(self) -> None:
        """Call a service through the gateway with the new key.

        If rotation is enabled without an immediate rotation, Secrets Manager takes this step alone,
        with a version that has no key. Then there is nothing to test.
        """
        value = self._secret.value_of(self._version)
        if value is None or self._keys.of_version(self._version) is None:
            _log.info("rotation_nothing_to_test", key_name=self._name)
            return
        calls = self._trial.run(value)
        _log.info("rotation_key_tested", key_name=self._name, url=self._url, calls=calls)

    def finish(self) -> None:
        """Make the new key current and retire all keys that are neither current nor previous."""
        value = self._pending_value()
        key = self._keys.with_value(value)
        if key is None or not key.enabled:
            raise RotationError(f"{self._secret.name}: the new key is gone or disabled.")
        if self._secret.is_current(self._version):
            kept = {value, self._secret.value_at(PREVIOUS)}
        else:
            kept = {value, self._secret.value_at(CURRENT)}
            self._secret.promote(self._version)
            _log.info("rotation_key_promoted", key_name=self._name, key_id=key.id)
        deleted: set[str] = set()
        for other in self._keys.all():
            if other.value not in kept:
                outcome = self._keys.retire(other)
                if outcome == "deleted":
                    deleted.add(other.id)
                _log.info(
                    "rotation_key_retired",
                    key_name=self._name,
                    key_id=other.id,
                    outcome=outcome,
                )
        self._key_ids.store(without=deleted)
        # Last, so that the rotation counts as in progress until everything else is done.
        self._secret.remove_pending_label(self._version)

    def _pending_value(self) -> str:
        value = self._secret.value_of(self._version)
        if value is None:
            raise RotationError(f"{self._secret.name}: version {self._version} has no value.")
        return value


def key_name(settings: Settings, secret_name: str) -> str:
    """Return the key name in a secret's name.

    Raises:
        RotationError: The secret is no API key of this project and environment.
    """
    head = f"{settings.project_name}/{settings.environment}/"
    name = secret_name.removeprefix(head).removesuffix("/api-key")
    if secret_name != f"{head}{name}/api-key" or name not in settings.usage_plan_ids:
        raise RotationError(f"{secret_name} is not the secret of a key in USAGE_PLAN_IDS.")
    return name


def gateway_keys(settings: Settings, client: "APIGatewayClient", name: str) -> GatewayKeys:
    """Return the keys of one key name."""
    return GatewayKeys(
        client,
        project=settings.project_name,
        environment=settings.environment,
        name=name,
        usage_plan_id=settings.usage_plan_ids[name],
        terraform_key_id=settings.terraform_api_key_ids.get(name),
    )
