"""The embedded AWS that the estate on one machine has, with all that it is asked on record."""

from typing import Any

from local.aws.server import Wsgi, boto3_client
from local.aws.terraform_aws import TerraformAws
from local.blueprint import REGION
from tests.recording import Recorder


class RecordedAws(TerraformAws):
    """`recorder` has the requests, from the moment that it serves."""

    recorder: Recorder

    def front(self, moto: Wsgi) -> Wsgi:
        self.recorder = Recorder(super().front(moto))
        return self.recorder

    def client(self, service: str) -> Any:
        """A boto3 client of it."""
        return boto3_client(service, endpoint_url=self.url, region=REGION)

    def leftovers(self) -> list[str]:
        """What nobody deleted of what moto lacks."""
        made = {**self.app_runner.services, **self.app_runner.configurations}
        return [
            *(arn for arn, item in made.items() if item["Status"].upper() in {"ACTIVE", "RUNNING"}),
            *self.sampling.rules,
            *self.log_protection.policies,
        ]
