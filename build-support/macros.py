# Names for the BUILD files (Pants: build_file_prelude_globs).

# Who may import a service: itself, the estate on one machine, the benchmarks, and the tests of its
# package. "/**" is anchored at the BUILD file that uses it.
SERVICE_DEPENDENTS = (
    "*",
    "/**",
    "//backend/local/**",
    "//backend/benchmarks/**",
    "//build-support/packer/**",
    "!*",
)

# Nothing is built on the estate on one machine but measurements of it, and tests of Terraform and of
# deploys: the embedded AWS that they apply to is the estate's.
LOCAL_DEPENDENTS = (
    "*",
    "/**",
    "//backend/benchmarks/**",
    "//build-support/deploy/tests/**",
    "//terraform/tests/**",
    "!*",
)


# Every function's package, for the tests of them all.
FUNCTION_ZIPS = (
    "backend/api:zip",
    "backend/chat:zip",
    "backend/rotation:zip",
    "backend/runner:zip",
    "backend/s3vector:zip",
)


def stock_package(name, handler="handler.py:handler", tags=()):
    """`:stock` writes dist/stock/<name>.zip, as Pants packs a function.

    The target has another name from Pants 2.18 on: this is the one place that names it.
    """
    reqs = "!!3rdparty/python:reqs#"
    python_awslambda(
        name="stock",
        handler=handler,
        complete_platforms=["build-support/lambda:platform"],
        output_path="stock/" + name + ".zip",
        tags=[*tags],
        dependencies=[
            # Types only.
            reqs + "boto3-stubs",
            # 7 MB and 140 ms of a cold start; a function's collector speaks HTTP as well (4318).
            reqs + "opentelemetry-exporter-otlp-proto-grpc",
            # Brings `requests`; ours sends OTLP/HTTP with JSON.
            reqs + "opentelemetry-exporter-otlp-proto-http",
        ],
    )


def lambda_package(name, handler="handler.py:handler", aws_services=(), tags=()):
    """`:zip` writes dist/<name>.zip, the stock package packed again by build-support/packer."""
    stock_package(name, handler, tags)
    lambda_zip(
        name="zip",
        package=[":stock"],
        output_path=name + ".zip",
        aws_services=aws_services,
        tags=[*tags],
    )
