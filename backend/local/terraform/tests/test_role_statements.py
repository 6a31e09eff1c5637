"""Each service works with its own role, and fails without a statement that its code needs."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from local.conftest import RunningUp, wait_until
from local.terraform.layer_copy import missing
from local.terraform.tests.conftest import client
from local.terraform.tests.exercised_statements import (
    NOT_EXERCISED,
    STATEMENTS,
    Statement,
    load,
)
from services.declared import ROUTED

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(any(missing()), reason=f"Terraform cannot run here: {'; '.join(missing())}"),
]


class RolePolicy:
    """The policy of a service's role that has a statement."""

    def __init__(self, applied: RunningUp, service: str, sid: str) -> None:
        self.iam = client(applied, "iam")
        kind = "apprunner" if service == "runner" else "lambda"
        self.role = f"fin-advisor-dev-{kind}-{service}"
        for one in self.iam.list_attached_role_policies(RoleName=self.role)["AttachedPolicies"]:
            self.arn = one["PolicyArn"]
            self.version = self.iam.get_policy(PolicyArn=self.arn)["Policy"]["DefaultVersionId"]
            self.statements = self.iam.get_policy_version(
                PolicyArn=self.arn, VersionId=self.version
            )["PolicyVersion"]["Document"]["Statement"]
            if sid in {each["Sid"] for each in self.statements}:
                return
        raise LookupError(f"no policy of {self.role} has the statement {sid}")

    @contextmanager
    def without(self, sid: str) -> Iterator[None]:
        """Remove a statement for as long as the block lasts."""
        kept = [each for each in self.statements if each["Sid"] != sid]
        nothing = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::none/*"}
        document = {"Version": "2012-10-17", "Statement": kept or [nothing]}
        made = self.iam.create_policy_version(
            PolicyArn=self.arn, PolicyDocument=json.dumps(document), SetAsDefault=True
        )["PolicyVersion"]["VersionId"]
        try:
            yield
        finally:
            self.iam.set_default_policy_version(PolicyArn=self.arn, VersionId=self.version)
            self.iam.delete_policy_version(PolicyArn=self.arn, VersionId=made)


def restart(applied: RunningUp, service: str) -> None:
    """End the processes of a service. A function's next one starts with the next request."""
    program = "runner.server" if service == "runner" else f"{service}.handler.handler"
    ended = applied.children(program)
    for pid in ended:
        os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: not ended & applied.children(program), seconds=30)


@pytest.fixture(scope="module")
def loaded(applied: RunningUp) -> RunningUp:
    assert wait_until(lambda: load(applied), seconds=120)
    return applied


@pytest.mark.parametrize("statement", STATEMENTS, ids=str)
def test_a_service_fails_without_a_statement_that_it_needs(
    loaded: RunningUp, statement: Statement
) -> None:
    policy = RolePolicy(loaded, statement.service, statement.sid)
    assert wait_until(lambda: statement.works(loaded), seconds=60)
    with policy.without(statement.sid):
        if statement.restart:
            restart(loaded, statement.service)
        refused = f"IAM: {policy.role} lacks {statement.action}"

        def is_refused() -> bool:
            return not statement.works(loaded) and refused in loaded.output.read_text()

        assert wait_until(is_refused, seconds=90)
    if statement.restart:
        restart(loaded, statement.service)
    assert wait_until(lambda: statement.works(loaded), seconds=90)


def test_every_other_statement_is_listed_with_its_reason(applied: RunningUp) -> None:
    found = set()
    for service in ROUTED:
        policies = RolePolicy(applied, service, "ReadOwnKey")
        attached = policies.iam.list_attached_role_policies(RoleName=policies.role)
        for one in attached["AttachedPolicies"]:
            arn = one["PolicyArn"]
            version = policies.iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            document = policies.iam.get_policy_version(PolicyArn=arn, VersionId=version)
            statements = document["PolicyVersion"]["Document"]["Statement"]
            found |= {(service, statement["Sid"]) for statement in statements}
    exercised = {(each.service, each.sid) for each in STATEMENTS}
    assert exercised <= found
    assert {sid for _, sid in found - exercised} == set(NOT_EXERCISED)
