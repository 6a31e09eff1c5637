# Names for the BUILD files (Pants: build_file_prelude_globs).

# Who may import a service: the service itself, backend/local, the benchmarks, the erasure, the
# evaluation, the records, the contract, and the tests of its package. "/**" is relative to the BUILD
# file that uses it.
SERVICE_DEPENDENTS = (
    "*",
    "/**",
    "//backend/local/**",
    "//backend/benchmarks/**",
    "//backend/erasure/**",
    "//backend/evaluation/**",
    "//backend/records/**",
    "//build-support/contract/**",
    "//build-support/licences/**",
    "//build-support/packer/**",
    "!*",
)

# Who may import backend/local: the benchmarks, the evaluation, and the tests of Terraform and of
# deploys, which use its embedded AWS.
LOCAL_DEPENDENTS = (
    "*",
    "/**",
    "//backend/benchmarks/**",
    "//backend/chat/tests/**",
    "//backend/client/tests/**",
    "//backend/evaluation/**",
    "//build-support/deploy/tests/**",
    "//build-support/scaffold/tests/**",
    "//terraform/tests/**",
    "!*",
)


# The package of every service, for tests of all packages. A macro cannot read services.json: a test of
# backend/services compares.
FUNCTION_ZIPS = (
    "backend/api:zip",
    "backend/chat:zip",
    "backend/records:zip",
    "backend/rotation:zip",
    "backend/runner:zip",
    "backend/s3vector:zip",
)


def stock_package(name, handler="handler.py:handler", tags=()):
    """`:stock` writes dist/stock/<name>.zip, as Pants packs a function.

    Pants 2.18 renames the target type, which is used nowhere else.
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
            # It costs 7 MB and 140 ms of a cold start; the collector also accepts HTTP (4318).
            reqs + "opentelemetry-exporter-otlp-proto-grpc",
            # proto-http stays: with tracing_mode = "auto", an older one from the layer fails with
            # the newer proto-common of the package.
        ],
    )


def lambda_package(name, handler="handler.py:handler", aws_services=(), tags=()):
    """`:zip` writes dist/<name>.zip: the stock package, repacked by build-support/packer."""
    stock_package(name, handler, tags)
    lambda_zip(
        name="zip",
        package=[":stock"],
        output_path=name + ".zip",
        aws_services=aws_services,
        tags=[*tags],
    )
