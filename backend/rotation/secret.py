"""One secret of Secrets Manager and the staging labels of its versions."""

from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

CURRENT: Final = "AWSCURRENT"
PENDING: Final = "AWSPENDING"
PREVIOUS: Final = "AWSPREVIOUS"

_Stage = Literal["AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"]


class RotationError(RuntimeError):
    """A rotation step cannot be taken; the current key stays current."""


class RotatingSecret:
    """A secret that is being rotated. Its version labels are read once, when a step begins.

    Raises:
        RotationError: Rotation is not enabled for the secret.
    """

    def __init__(self, client: "SecretsManagerClient", secret_id: str) -> None:
        self._client = client
        described = client.describe_secret(SecretId=secret_id)
        self.name = described["Name"]
        self._id = secret_id
        self._stages = described.get("VersionIdsToStages", {})
        if not described.get("RotationEnabled", False):
            raise RotationError(f"{self.name}: rotation is not enabled for this secret.")

    def require_version(self, version: str) -> None:
        """Raise `RotationError` if a version is neither pending nor current."""
        stages = self._stages.get(version)
        if stages is None:
            raise RotationError(f"{self.name}: there is no version {version}.")
        if not {PENDING, CURRENT} & set(stages):
            raise RotationError(f"{self.name}: version {version} is not pending.")

    def is_current(self, version: str) -> bool:
        """Return whether services read this version."""
        return CURRENT in self._stages.get(version, [])

    def version_at(self, stage: _Stage) -> str | None:
        """Return the id of the version with a staging label, or None."""
        return next((v for v, stages in self._stages.items() if stage in stages), None)

    def value_at(self, stage: _Stage) -> str | None:
        """Return the value of the version with a staging label, or None."""
        version = self.version_at(stage)
        return None if version is None else self.value_of(version)

    def value_of(self, version: str) -> str | None:
        """Return the value of a version, or None if it has no value yet."""
        try:
            answer = self._client.get_secret_value(SecretId=self._id, VersionId=version)
        except self._client.exceptions.ResourceNotFoundException:
            return None
        return answer.get("SecretString") or None

    def put_pending(self, version: str, value: str) -> None:
        """Store the value of a pending version; idempotent for the same value."""
        self._client.put_secret_value(
            SecretId=self._id,
            ClientRequestToken=version,
            SecretString=value,
            VersionStages=[PENDING],
        )

    def promote(self, version: str) -> None:
        """Make a version current; Secrets Manager labels the one before it as previous."""
        current = self.version_at(CURRENT)
        removal = {} if current is None else {"RemoveFromVersionId": current}
        self._client.update_secret_version_stage(
            SecretId=self._id, VersionStage=CURRENT, MoveToVersionId=version, **removal
        )

    def remove_pending_label(self, version: str) -> None:
        """Remove the pending label from a version, which ends the rotation."""
        if PENDING in self._stages.get(version, []):
            self._client.update_secret_version_stage(
                SecretId=self._id, VersionStage=PENDING, RemoveFromVersionId=version
            )
