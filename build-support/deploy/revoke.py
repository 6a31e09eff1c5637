"""Revokes a leaked API key: rotates its secret twice, and checks that the gateway refuses the old
keys. The first rotation alone would leave the old key working until the next one.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import httpx
from botocore.exceptions import ClientError

from deploy.aws import client
from deploy.program import Refused, parser, run
from deploy.terraform import FOLDER, Terraform

_ROTATIONS: Final = 2
_ROTATION_SECONDS: Final = 300
_REFUSAL_SECONDS: Final = 180
_POLL_SECONDS: Final = 3.0


class KeySecret:
    """The secret of one API key.

    Args:
        secrets: A client of Secrets Manager.
        name: The secret's name.
    """

    def __init__(self, secrets: Any, name: str) -> None:
        self._secrets = secrets
        self.name = name

    def values(self) -> list[str]:
        """Return the keys that may work now: the current one and the one before."""
        found: list[str] = []
        for stage in ("AWSCURRENT", "AWSPREVIOUS"):
            if self._version_at(stage):
                read = self._secrets.get_secret_value(SecretId=self.name, VersionStage=stage)
                found.append(read["SecretString"])
        return found

    def rotate(self, limit_seconds: float = _ROTATION_SECONDS) -> None:
        """Rotate and wait until the new key is current.

        Raises:
            Refused: It is not current within the time limit.
        """
        before = self._version_at("AWSCURRENT")
        ends = time.monotonic() + limit_seconds
        is_started = False
        while not is_started or self._version_at("AWSCURRENT") == before:
            if time.monotonic() >= ends:
                raise Refused(
                    f"{self.name}: the rotation has not ended within {limit_seconds:.0f} s. The "
                    "old keys still work. The log of the function that rotates has the reason; "
                    "run this program again when it is mended."
                )
            is_started = is_started or self._start()
            time.sleep(_POLL_SECONDS)

    def _start(self) -> bool:
        """Start a rotation; return False while the one before is being completed."""
        try:
            self._secrets.rotate_secret(SecretId=self.name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "InvalidRequestException":
                raise
            return False
        return True

    def _version_at(self, stage: str) -> str | None:
        described = self._secrets.describe_secret(SecretId=self.name)
        versions = described["VersionIdsToStages"].items()
        return next((version for version, stages in versions if stage in stages), None)


def revoke(secret: KeySecret, gateway_url: str, limit_seconds: float = _REFUSAL_SECONDS) -> int:
    """Make the keys of a secret useless; return how many there were.

    Raises:
        Refused: A rotation failed, or the gateway still accepts an old key.
    """
    leaked = secret.values()
    for _ in range(_ROTATIONS):
        secret.rotate()
    ends = time.monotonic() + limit_seconds
    while any(_is_accepted(gateway_url, key) for key in leaked):
        if time.monotonic() >= ends:
            raise Refused(
                f"{secret.name}: the gateway still accepts an old key after {limit_seconds:.0f} s. "
                "Disable it: `aws apigateway update-api-key --api-key ID --patch-operations "
                "op=replace,path=/enabled,value=false`."
            )
        time.sleep(_POLL_SECONDS)
    return len(leaked)


def _is_accepted(gateway_url: str, key: str) -> bool:
    url = f"{gateway_url.rstrip('/')}/api/health"
    answer = httpx.get(url, headers={"x-api-key": key}, timeout=httpx.Timeout(35))
    return answer.status_code != httpx.codes.FORBIDDEN


def main(arguments: Sequence[str]) -> None:
    """Revoke the key of one name."""
    cli = parser(__doc__)
    cli.add_argument("--name", required=True, help="whose key leaked: a service or a client")
    cli.add_argument("--terraform", type=Path, default=FOLDER, help="folder of the Terraform files")
    args = cli.parse_args(arguments)
    outputs = Terraform(args.environment, args.terraform).outputs()
    names = outputs["api_key_secrets"]
    if args.name not in names:
        raise Refused(f"there is no key {args.name!r}; there are: {', '.join(sorted(names))}")
    secret = KeySecret(client("secretsmanager"), names[args.name])
    if args.dry_run:
        print(f"would rotate {secret.name} twice, and check that the old keys are refused")
        return
    keys = revoke(secret, outputs["api_gateway_url"])
    print(
        f"{secret.name}: {keys} old keys are refused. Services read the new key by themselves; "
        "give it to client programs."
    )


if __name__ == "__main__":
    run(main)
