"""The entry of a Lambda function: its events, its invocations, its cold start."""
