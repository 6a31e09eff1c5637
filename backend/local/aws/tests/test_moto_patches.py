"""What moto does as AWS does, once it is repaired."""

from collections.abc import Iterator
from typing import Any

import pytest

from local.aws.server import boto3_client
from local.aws.terraform_aws import TerraformAws


@pytest.fixture
def aws() -> Iterator[TerraformAws]:
    served = TerraformAws()
    served.serve()
    yield served
    served.stop()


def client(service: str, aws: TerraformAws) -> Any:
    return boto3_client(service, endpoint_url=aws.url, region="us-east-1")


def test_a_bucket_is_emptied_although_it_was_versioned_and_holds_delete_markers(
    aws: TerraformAws,
) -> None:
    storage, bucket = client("s3", aws), "to-be-emptied"
    storage.create_bucket(Bucket=bucket)
    storage.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    storage.put_object(Bucket=bucket, Key="one", Body=b"1")
    storage.delete_object(Bucket=bucket, Key="one")
    # Terraform does so before it empties the bucket.
    storage.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    found = storage.list_object_versions(Bucket=bucket)
    for version in [*found["Versions"], *found["DeleteMarkers"]]:
        storage.delete_object(Bucket=bucket, Key="one", VersionId=version["VersionId"])
    storage.delete_bucket(Bucket=bucket)


def test_a_version_of_a_secret_keeps_its_own_labels(aws: TerraformAws) -> None:
    secrets, first, second = client("secretsmanager", aws), "1" * 32, "2" * 32
    secrets.create_secret(Name="labelled", SecretString="a", ClientRequestToken=first)
    secrets.update_secret_version_stage(
        SecretId="labelled", VersionStage="made-by-terraform", MoveToVersionId=first
    )
    secrets.put_secret_value(
        SecretId="labelled",
        SecretString="b",
        ClientRequestToken=second,
        VersionStages=["AWSCURRENT"],
    )
    stages = secrets.describe_secret(SecretId="labelled")["VersionIdsToStages"]
    assert set(stages[first]) == {"AWSPREVIOUS", "made-by-terraform"}
    assert stages[second] == ["AWSCURRENT"]


def test_a_bucket_that_refuses_plain_http_is_used_over_it(aws: TerraformAws) -> None:
    storage, bucket = client("s3", aws), "secure"
    storage.create_bucket(Bucket=bucket)
    storage.put_bucket_policy(
        Bucket=bucket,
        Policy="""{"Version": "2012-10-17", "Statement": [{
            "Effect": "Deny", "Principal": "*", "Action": "s3:*",
            "Resource": ["arn:aws:s3:::secure", "arn:aws:s3:::secure/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}""",
    )
    storage.put_object(Bucket=bucket, Key="one", Body=b"1")
