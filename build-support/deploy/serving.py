"""The environment's own record of what serves, in Parameter Store; Terraform's defaults.

A promotion writes the record after it has moved traffic, a rollback before. If one of them is
interrupted, the next apply therefore serves what is known to work.
"""

import json
from typing import Any

from deploy.aws import client
from deploy.traffic import Serving


def remember(serving: Serving) -> None:
    """Record the versions and the image; nothing is done before the first apply."""
    if serving.parameter is None:
        return
    content: dict[str, Any] = {"live_versions": serving.live_versions()}
    if serving.runner_image:
        content["runner_image"] = serving.runner_image
    client("ssm").put_parameter(
        Name=serving.parameter,
        Value=json.dumps(content, sort_keys=True),
        Type="String",
        Overwrite=True,
    )
