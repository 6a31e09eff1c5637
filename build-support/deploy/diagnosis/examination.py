"""The account of the shell's credentials, and the environment that belongs into it."""

from dataclasses import replace
from pathlib import Path

from botocore.exceptions import ClientError, NoCredentialsError

from deploy.diagnosis.findings import Examined
from deploy.program import Refused
from deploy.variables import Variables


def examined(environment: str, folder: Path) -> Examined:
    """Read an environment's variables, and ask AWS whose credentials these are.

    Raises:
        Refused: There are no credentials, or AWS refuses them.
    """
    variables = Variables.read(environment, folder)
    found = Examined(variables, account="", folder=folder)
    try:
        identity = found.client("sts").get_caller_identity()
    except NoCredentialsError:
        raise Refused(
            "there are no AWS credentials: run `aws configure sso` or set AWS_PROFILE, and check "
            "with `aws sts get-caller-identity`"
        ) from None
    except ClientError as error:
        raise Refused(f"AWS refuses these credentials: {error}. Sign in again") from None
    return replace(found, account=str(identity["Account"]))
