"""The embedded AWS that Terraform can fill."""

from local.aws.app_runner import AppRunner
from local.aws.bucket_lifecycles import BucketLifecycles
from local.aws.log_protection import LogProtection
from local.aws.moto_patches import repair_moto
from local.aws.server import EmbeddedAws
from local.aws.xray_sampling import XRaySampling


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
