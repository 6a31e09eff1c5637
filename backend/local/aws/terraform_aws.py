"""The embedded AWS for Terraform."""

import os

from local.aws.app_runner import AppRunner
from local.aws.bucket_lifecycles import BucketLifecycles
from local.aws.budgets import Budgets
from local.aws.log_protection import LogProtection
from local.aws.moto_patches import patch_moto
from local.aws.server import EmbeddedAws
from local.aws.vector_search import VectorSearch, define_stack_resources
from local.aws.xray_sampling import XRaySampling


class TerraformAws(EmbeddedAws):
    """An embedded AWS that has every API which the Terraform layers use and moto lacks."""

    def __init__(self) -> None:
        self.app_runner = AppRunner()
        self.sampling = XRaySampling()
        self.log_protection = LogProtection()
        self.budgets = Budgets()
        super().__init__(
            [
                self.app_runner,
                self.sampling,
                self.log_protection,
                self.budgets,
                BucketLifecycles(),
                VectorSearch(),
            ]
        )

    def serve(self) -> None:
        # bootstrap/ attaches one. Only here, because moto reads all of them again at each reset.
        os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
        super().serve()
        patch_moto()
        define_stack_resources()
