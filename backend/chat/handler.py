"""Lambda entry of the chat service."""

from shared.aws_lambda.cold_start import cold_start

with cold_start():
    from chat.app import create_app
    from chat.settings import Settings
    from shared.aws_lambda.entry import lambda_handler
    from shared.settings import load_settings

    settings = load_settings(Settings)
    handler = lambda_handler(create_app(settings), settings, streams=["/messages/stream"])
