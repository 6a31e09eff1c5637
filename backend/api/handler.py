"""Lambda entry of the api service."""

from shared.aws_lambda.cold_start import cold_start

with cold_start():
    from api.advance import JobAdvancer
    from api.app import create_app
    from api.settings import Settings
    from shared.api_client import ServiceAPIClient
    from shared.aws_lambda.entry import lambda_handler
    from shared.settings import load_settings

    settings = load_settings(Settings)
    client = ServiceAPIClient(settings=settings)
    advancer = JobAdvancer(client, seconds=settings.advance_seconds)
    handler = lambda_handler(
        create_app(settings, client=client),
        settings,
        tasks={"advance-jobs": advancer.advance},
        streams=["/ask/stream"],
    )
