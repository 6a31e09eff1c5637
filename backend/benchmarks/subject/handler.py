"""The Lambda entry point of our candidate, written like that of every service."""

from shared.aws_lambda.cold_start import cold_start

with cold_start():
    from benchmarks.subject.app import create_app
    from shared.aws_lambda.entry import lambda_handler
    from shared.settings import FullServiceSettings, load_settings

    settings = load_settings(FullServiceSettings)
    handler = lambda_handler(create_app(settings), settings)
