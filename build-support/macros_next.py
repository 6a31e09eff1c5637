# NOT YET RUN. Replaces two macros of macros.py for the Pants of pants.next.toml, which has
# `python_aws_lambda_function` in place of `python_awslambda`.


def stock_package(name, handler="handler.py:handler", tags=()):
    """`:stock` writes dist/stock/<name>.zip, as Pants packs a function."""
    reqs = "!!3rdparty/python:reqs#"
    python_aws_lambda_function(
        name="stock",
        handler=handler,
        complete_platforms=["build-support/lambda:platform"],
        output_path="stock/" + name + ".zip",
        tags=[*tags],
        # As in macros.py, which has the reasons.
        dependencies=[
            reqs + "boto3-stubs",
            reqs + "opentelemetry-exporter-otlp-proto-grpc",
        ],
    )


def lambda_package(name, handler="handler.py:handler", aws_services=(), tags=()):
    """`:zip` means dist/<name>.zip, which `.ci/next` makes of the stock package.

    The plugin that does this in macros.py is written for the API of 2.17.
    """
    stock_package(name, handler, tags)
    target(name="zip", dependencies=[":stock"], tags=[*tags])
