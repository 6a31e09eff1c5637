"""Lambda entry of the s3vector service."""

import os

from shared.aws_lambda.cold_start import cold_start

# The function has less than one CPU, where numpy's threads would only wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

with cold_start():
    from s3vector.allocator import return_large_blocks
    from s3vector.app import create_app
    from s3vector.erasure import TASK, erasing
    from s3vector.settings import Settings
    from shared.aws_lambda.entry import lambda_handler
    from shared.settings import load_settings

    return_large_blocks()
    settings = load_settings(Settings)
    app = create_app(settings)
    handler = lambda_handler(app, settings, tasks={TASK: erasing(app.state.store)})
