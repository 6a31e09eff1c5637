"""Takes an environment through its whole life on the embedded AWS.

Both layers are applied, planned again, changed after key rotations, and destroyed. Tests check the
result of each step.
"""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from local.aws.iam.calls import Call
from local.terraform.layer_copy import variable_options
from services.declared import ROUTED, SERVICES
from tests.embedded_aws import RecordedAws
from tests.harness import Layer, Plan, State
from tests.rotations import rotate

IMAGE: Final = "123456789012.dkr.ecr.us-east-1.amazonaws.com/fin-advisor/runner@sha256:" + "a" * 64
GITHUB: Final = {
    "github_owner": "acme",
    "github_repository": "fin-advisor",
    "github_owner_id": "11",
    "github_repository_id": "22",
}


@dataclass
class Lifecycle:
    """The results of the steps: plans, states, and the requests to AWS."""

    bootstrap: State
    application: State
    second_plan: str
    second_bootstrap_plan: Plan
    package_plan: Plan
    route_plan: Plan
    outputs_after_changes: dict[str, Any]
    backend_file: str
    leftovers: list[str]
    calls: dict[str, list[Call]] = field(default_factory=dict)


def run_lifecycle(folder: Path) -> Lifecycle:
    """Run all steps in `folder`, which takes minutes."""
    aws = RecordedAws()
    aws.serve()
    try:
        return _LifecycleRun(aws, folder).run()
    finally:
        aws.stop()


class _LifecycleRun:
    def __init__(self, aws: RecordedAws, folder: Path) -> None:
        self._aws = aws
        self._calls: dict[str, list[Call]] = {}
        self._packages = folder / "dist"
        self._packages.mkdir()
        for name in SERVICES:
            self._write_package(name, "first")
        self._bootstrap = Layer("bootstrap", folder / "bootstrap", endpoint_url=aws.url)
        self._application = Layer(
            "terraform", folder / "terraform", endpoint_url=aws.url, s3_backend=True
        )
        self._bootstrap_options = variable_options(
            {
                **GITHUB,
                "environments": ["dev"],
                "force_destroy": True,
                # backend.tf would change this layer's backend while it is in use.
                "write_own_backend": False,
            }
        )
        self._options = [
            "-var-file=environments/dev.tfvars",
            *variable_options({"package_dir": str(self._packages), "runner_image": IMAGE}),
        ]

    def _write_package(self, name: str, content: str) -> None:
        with zipfile.ZipFile(self._packages / f"{name}.zip", "w") as package:
            entry = zipfile.ZipInfo("lambda_function.py", (1980, 1, 1, 0, 0, 0))
            package.writestr(entry, f"# {name} {content}")

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        recorded = len(self._aws.recorder.calls)
        yield
        self._calls[name] = self._aws.recorder.calls[recorded:]

    def run(self) -> Lifecycle:
        bootstrap, application = self._bootstrap, self._application
        with self._step("bootstrap"):
            bootstrap.init()
            bootstrap.apply(*self._bootstrap_options)
        applied_bootstrap = bootstrap.state()
        backend_file = application.folder / "environments" / "dev.s3.tfbackend"

        with self._step("init"):
            application.init("-backend-config=environments/dev.s3.tfbackend")
        with self._step("apply"):
            application.apply(*self._options)
        applied = application.state()
        with self._step("plan"):
            second = application.printed_plan(*self._options)

        with self._step("rotation"):
            for name in (*ROUTED, "client", "ingest"):
                rotate(self._aws, applied, name)
                rotate(self._aws, applied, name)
        self._write_package("chat", "second")
        with self._step("package plan"):
            package_plan = application.plan(*self._options)
        with self._step("route plan"):
            browsers = variable_options({"cors_origins": ["https://app.example.com"]})
            route_plan = application.plan("-refresh=false", *self._options, *browsers)
        with self._step("change"):
            application.run("apply", "-no-color", "-parallelism=20", "saved.tfplan")
        after = application.outputs()

        self._fill_buckets(applied)
        with self._step("destroy"):
            # The plans above have recorded the requests of a refresh.
            application.destroy("-refresh=false", *self._options)
        with self._step("bootstrap plan"):
            second_bootstrap = bootstrap.plan(*self._bootstrap_options)
        with self._step("bootstrap destroy"):
            bootstrap.destroy("-refresh=false", *self._bootstrap_options)
        return Lifecycle(
            bootstrap=applied_bootstrap,
            application=applied,
            second_plan=second,
            second_bootstrap_plan=second_bootstrap,
            package_plan=package_plan,
            route_plan=route_plan,
            outputs_after_changes=after,
            backend_file=backend_file.read_text(),
            leftovers=[*leftovers(self._aws), *self._aws.leftovers()],
            calls=self._calls,
        )

    def _fill_buckets(self, state: State) -> None:
        store = self._aws.client("s3")
        for output in ("vector_bucket_name", "jobs_bucket_name", "records_bucket_name"):
            for version in (b"first", b"second"):
                bucket = state.outputs()[output]
                store.put_object(Bucket=bucket, Key="jobs/one.json", Body=version)


def leftovers(aws: RecordedAws) -> list[str]:
    """Return the resources of both layers that moto still has."""
    listings: list[tuple[str, str, str, str, dict[str, Any]]] = [
        ("s3", "list_buckets", "Buckets", "Name", {}),
        ("lambda", "list_functions", "Functions", "FunctionName", {}),
        ("apigateway", "get_rest_apis", "items", "name", {}),
        ("apigateway", "get_usage_plans", "items", "name", {}),
        ("secretsmanager", "list_secrets", "SecretList", "Name", {}),
        ("ssm", "describe_parameters", "Parameters", "Name", {}),
        ("iam", "list_roles", "Roles", "RoleName", {}),
        ("iam", "list_policies", "Policies", "PolicyName", {"Scope": "Local"}),
        ("iam", "list_open_id_connect_providers", "OpenIDConnectProviderList", "Arn", {}),
        ("logs", "describe_log_groups", "logGroups", "logGroupName", {}),
        ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName", {}),
        ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName", {}),
        ("sns", "list_topics", "Topics", "TopicArn", {}),
        ("scheduler", "list_schedules", "Schedules", "Name", {}),
        ("dynamodb", "list_tables", "TableNames", "", {}),
        ("ssm", "describe_parameters", "Parameters", "Name", {}),
        ("ecr", "describe_repositories", "repositories", "repositoryName", {}),
    ]
    return [
        f"{service} {item[name] if name else item}"
        for service, operation, items, name, parameters in listings
        for item in getattr(aws.client(service), operation)(**parameters)[items]
    ]
