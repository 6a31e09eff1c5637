"""Lambda entry of the runner, for `runner_platform = "lambda"`."""

from shared.aws_lambda.cold_start import cold_start

with cold_start():
    from runner.app import create_app
    from runner.settings import Settings
    from shared.aws_lambda.entry import lambda_handler
    from shared.settings import load_settings

    settings = load_settings(Settings)
    app = create_app(settings)
    handler = lambda_handler(app, settings)
