"""Creates what the services expect and Terraform would create: secrets, buckets, tables…"""

from local.aws.server import boto3_client
from local.blueprint import REGION, Blueprint


def seed(blueprint: Blueprint, endpoint_url: str) -> None:
    """Create the blueprint's secrets, parameters, buckets and tables in the AWS. Blocks."""
    secrets = boto3_client("secretsmanager", endpoint_url=endpoint_url, region=REGION)
    for name, value in blueprint.secrets.items():
        secrets.create_secret(Name=name, SecretString=value)
    ssm = boto3_client("ssm", endpoint_url=endpoint_url, region=REGION)
    for name, value in blueprint.parameters.items():
        ssm.put_parameter(Name=name, Value=value, Type="String")
    storage = boto3_client("s3", endpoint_url=endpoint_url, region=REGION)
    for bucket in blueprint.buckets:
        storage.create_bucket(Bucket=bucket)
        storage.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    tables = boto3_client("dynamodb", endpoint_url=endpoint_url, region=REGION)
    for table in blueprint.tables:
        tables.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
        )
        tables.update_time_to_live(
            TableName=table,
            TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"},
        )
