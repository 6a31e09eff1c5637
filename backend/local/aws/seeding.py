"""Creates the secrets and buckets that the services expect and Terraform would create."""

from local.aws.server import boto3_client
from local.blueprint import REGION, Blueprint


def seed(blueprint: Blueprint, endpoint_url: str) -> None:
    """Create the blueprint's secrets and buckets in the embedded AWS. Blocks."""
    secrets = boto3_client("secretsmanager", endpoint_url=endpoint_url, region=REGION)
    for name, value in blueprint.secrets.items():
        secrets.create_secret(Name=name, SecretString=value)
    storage = boto3_client("s3", endpoint_url=endpoint_url, region=REGION)
    for bucket in blueprint.buckets:
        storage.create_bucket(Bucket=bucket)
        storage.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
