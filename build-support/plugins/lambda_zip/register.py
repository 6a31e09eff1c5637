"""The target `lambda_zip`: a stock Lambda package, repacked small, reproducible and with bytecode.

This plugin runs inside Pants on Python 3.9, and starts build-support/packer/pack_lambda.py on 3.13.
"""

from __future__ import annotations

from dataclasses import dataclass

from pants.backend.python.util_rules.interpreter_constraints import InterpreterConstraints
from pants.backend.python.util_rules.pex_environment import PythonExecutable
from pants.core.goals.package import (
    BuiltPackage,
    BuiltPackageArtifact,
    EnvironmentAwarePackageRequest,
    OutputPathField,
    PackageFieldSet,
)
from pants.engine.addresses import UnparsedAddressInputs
from pants.engine.fs import Digest, GlobMatchErrorBehavior, MergeDigests, PathGlobs
from pants.engine.process import Process, ProcessResult
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import (
    COMMON_TARGET_FIELDS,
    FieldSetsPerTarget,
    FieldSetsPerTargetRequest,
    SpecialCasedDependencies,
    StringField,
    StringSequenceField,
    Target,
    Targets,
)
from pants.engine.unions import UnionRule

PACKER = "build-support/packer/pack_lambda.py"
BILL = "build-support/packer/bill.py"  # the packer imports it


class PackageField(SpecialCasedDependencies):
    alias = "package"
    required = True
    help = "The stock Lambda target whose package is repacked."


class AwsServicesField(StringSequenceField):
    alias = "aws_services"
    help = "The services, by botocore's names, whose botocore models are kept in the package."


class PythonField(StringField):
    alias = "interpreter_constraint"
    default = "CPython==3.13.*"
    help = "The Python of the Lambda runtime: it must compile the bytecode."


class LambdaZip(Target):
    alias = "lambda_zip"
    core_fields = (
        *COMMON_TARGET_FIELDS,
        OutputPathField,
        PackageField,
        AwsServicesField,
        PythonField,
    )
    help = "A Lambda package with bytecode, without what the runtime does not need."


@dataclass(frozen=True)
class LambdaZipFieldSet(PackageFieldSet):
    required_fields = (PackageField, AwsServicesField)

    package: PackageField
    aws_services: AwsServicesField
    python: PythonField
    output_path: OutputPathField


@rule(desc="Pack a Lambda zip")
async def package_lambda_zip(field_set: LambdaZipFieldSet) -> BuiltPackage:
    stock_targets, packer, python = await MultiGet(
        Get(Targets, UnparsedAddressInputs, field_set.package.to_unparsed_address_inputs()),
        Get(
            Digest,
            PathGlobs(
                [PACKER, BILL], GlobMatchErrorBehavior.error, description_of_origin="lambda_zip"
            ),
        ),
        Get(PythonExecutable, InterpreterConstraints([field_set.python.value])),
    )
    stock_sets = await Get(
        FieldSetsPerTarget, FieldSetsPerTargetRequest(PackageFieldSet, stock_targets)
    )
    stock = await Get(BuiltPackage, EnvironmentAwarePackageRequest(stock_sets.field_sets[0]))
    output = field_set.output_path.value_or_default(file_ending="zip")
    bill = output[: -len(".zip")] + ".cdx.json"
    services = [f"--aws-service={name}" for name in field_set.aws_services.value or ()]
    result = await Get(
        ProcessResult,
        Process(
            # Isolated, except that the packer may import from its own folder.
            argv=(python.path, "-Es", PACKER, stock.artifacts[0].relpath, output, *services),
            input_digest=await Get(Digest, MergeDigests((stock.digest, packer))),
            output_files=(output, bill),
            description=f"Pack {output}",
        ),
    )
    summary = result.stdout.decode().strip()
    return BuiltPackage(
        result.output_digest,
        (
            BuiltPackageArtifact(output, extra_log_lines=(f"    {summary}",)),
            BuiltPackageArtifact(bill),
        ),
    )


def target_types():
    return [LambdaZip]


def rules():
    return [*collect_rules(), UnionRule(PackageFieldSet, LambdaZipFieldSet)]
