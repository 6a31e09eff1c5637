"""The Lambda entry."""

import os

from shared.aws_lambda.cold_start import cold_start

# A function of this size has less than one CPU: numpy's threads would wait for one another.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

with cold_start():
    from s3vector.app import create_app
    from s3vector.settings import Settings
    from shared.aws_lambda.entry import lambda_handler
    from shared.settings import load_settings

    settings = load_settings(Settings)
    app = create_app(settings)
    handler = lambda_handler(app, settings)
