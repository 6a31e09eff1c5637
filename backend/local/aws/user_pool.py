"""A user pool in the embedded Cognito, with two test users and a curator."""

import json
import urllib.request
from dataclasses import dataclass
from typing import Any

from local.aws.server import boto3_client
from local.blueprint import REGION

USERS = ("ana", "ben")
CURATOR = "carla"

_GROUP = "curators"
_KEYS_TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class UserPool:
    """A pool, its app client, and the password of its test users."""

    pool_id: str
    client_id: str
    password: str

    @property
    def issuer(self) -> str:
        return f"https://cognito-idp.{REGION}.amazonaws.com/{self.pool_id}"

    def published_keys(self, endpoint_url: str) -> Any:
        """The pool's public keys (JWKS), from the URL where the pool publishes them. Blocks."""
        url = f"{endpoint_url}/{self.pool_id}/.well-known/jwks.json"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(url, timeout=_KEYS_TIMEOUT_SECONDS) as answer:
            return json.loads(answer.read(1_000_000))

    def sign_in(self, user: str, endpoint_url: str) -> str:
        """A command that prints an ID token of a user."""
        body = {
            "AuthFlow": "USER_PASSWORD_AUTH",
            "ClientId": self.client_id,
            "AuthParameters": {"USERNAME": user, "PASSWORD": self.password},
        }
        return (
            f"curl -s {endpoint_url} -H 'content-type: application/x-amz-json-1.1' "
            "-H 'x-amz-target: AWSCognitoIdentityProviderService.InitiateAuth' "
            f"-d '{json.dumps(body)}' | python3 -c "
            '\'import json, sys; print(json.load(sys.stdin)["AuthenticationResult"]["IdToken"])\''
        )


def create_user_pool(name: str, password: str, endpoint_url: str) -> UserPool:
    """Create a pool with `USERS` and `CURATOR` in the AWS. Blocks."""
    cognito = boto3_client("cognito-idp", endpoint_url=endpoint_url, region=REGION)
    pool_id = cognito.create_user_pool(PoolName=name)["UserPool"]["Id"]
    client_id = cognito.create_user_pool_client(
        UserPoolId=pool_id,
        ClientName=name,
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    )["UserPoolClient"]["ClientId"]
    cognito.create_group(UserPoolId=pool_id, GroupName=_GROUP)
    for user in (*USERS, CURATOR):
        cognito.admin_create_user(UserPoolId=pool_id, Username=user)
        cognito.admin_set_user_password(
            UserPoolId=pool_id, Username=user, Password=password, Permanent=True
        )
    cognito.admin_add_user_to_group(UserPoolId=pool_id, Username=CURATOR, GroupName=_GROUP)
    return UserPool(pool_id, client_id, password)
