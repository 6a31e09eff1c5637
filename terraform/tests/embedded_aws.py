"""The embedded AWS of backend/local, with a record of all requests."""

from typing import Any

from local.aws.server import boto3_client
from local.aws.terraform_aws import TerraformAws
from local.aws.wsgi import Wsgi
from local.blueprint import REGION
from tests.recording import Recorder


class RecordedAws(TerraformAws):
    """An embedded AWS; `recorder` contains the requests since it began to serve."""

    recorder: Recorder

    def front(self, moto: Wsgi) -> Wsgi:
        self.recorder = Recorder(super().front(moto))
        return self.recorder

    def client(self, service: str) -> Any:
        """Return a boto3 client of this AWS."""
        return boto3_client(service, endpoint_url=self.url, region=REGION)

    def leftovers(self) -> list[str]:
        """Return the resources left over in the stand-ins for services that moto lacks."""
        resources = {**self.app_runner.services, **self.app_runner.configurations}
        return [
            *(
                arn
                for arn, item in resources.items()
                if item["Status"].upper() in {"ACTIVE", "RUNNING"}
            ),
            *self.sampling.rules,
            *self.log_protection.policies,
            *self.budgets.budgets,
        ]
