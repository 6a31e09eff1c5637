"""The embedded AWS that Terraform can fill."""

from local.app_runner import AppRunner
from local.bucket_lifecycles import BucketLifecycles
from local.embedded_aws import EmbeddedAws
from local.log_protection import LogProtection
from local.moto_repairs import repair_moto
from local.xray_sampling import XRaySampling


class TerraformAws(EmbeddedAws):
    """It has stand-ins for all that the layers make and moto lacks."""

    def __init__(self) -> None:
        self.app_runner = AppRunner()
        self.sampling = XRaySampling()
        self.log_protection = LogProtection()
        super().__init__([self.app_runner, self.sampling, self.log_protection, BucketLifecycles()])

    def serve(self) -> None:
        super().serve()
        repair_moto()
