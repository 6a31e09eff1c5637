"""S3 Vectors as Terraform creates it: a bucket and an index by a stack, and searches in them."""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from local.aws.server import boto3_client
from local.aws.terraform_aws import TerraformAws
from local.aws.vector_search import matches

_WHERE = {"vectorBucketName": "vectors", "indexName": "documents"}
_TEMPLATE = {
    "Resources": {
        "Bucket": {
            "Type": "AWS::S3Vectors::VectorBucket",
            "Properties": {
                "VectorBucketName": "vectors",
                "EncryptionConfiguration": {"SseType": "AES256"},
            },
        },
        "Index": {
            "Type": "AWS::S3Vectors::Index",
            "DependsOn": "Bucket",
            "Properties": {
                "VectorBucketName": "vectors",
                "IndexName": "documents",
                "DataType": "float32",
                "Dimension": 2,
                "DistanceMetric": "cosine",
            },
        },
    }
}


@pytest.fixture(scope="module")
def aws() -> Iterator[TerraformAws]:
    aws = TerraformAws()
    aws.serve()
    stacks = boto3_client("cloudformation", endpoint_url=aws.url, region="us-east-1")
    # On a busy machine moto's imports take longer than the client waits before it repeats the call.
    with suppress(stacks.exceptions.AlreadyExistsException):
        stacks.create_stack(StackName="vectors", TemplateBody=json.dumps(_TEMPLATE))
    stacks.get_waiter("stack_create_complete").wait(StackName="vectors")
    yield aws
    stacks.delete_stack(StackName="vectors")
    client = boto3_client("s3vectors", endpoint_url=aws.url, region="us-east-1")
    assert client.list_vector_buckets()["vectorBuckets"] == []
    aws.stop()


@pytest.fixture(scope="module")
def client(aws: TerraformAws) -> Any:
    client = boto3_client("s3vectors", endpoint_url=aws.url, region="us-east-1")
    client.put_vectors(
        **_WHERE,
        vectors=[
            {"key": key, "data": {"float32": vector}, "metadata": {"topic": topic}}
            for key, vector, topic in (
                ("a", [1.0, 0.0], "tax"),
                ("b", [1.0, 1.0], "savings"),
                ("c", [-1.0, 0.0], "tax"),
            )
        ],
    )
    return client


def test_the_nearest_vectors_come_first(client: Any) -> None:
    found = client.query_vectors(
        **_WHERE, topK=2, queryVector={"float32": [2.0, 0.0]}, returnDistance=True
    )
    assert [one["key"] for one in found["vectors"]] == ["a", "b"]
    assert [one["distance"] for one in found["vectors"]] == pytest.approx([0.0, 1 - 0.5**0.5])
    assert "metadata" not in found["vectors"][0]


def test_a_filter_leaves_out_what_does_not_match(client: Any) -> None:
    found = client.query_vectors(
        **_WHERE,
        topK=9,
        queryVector={"float32": [2.0, 0.0]},
        filter={"topic": "tax"},
        returnMetadata=True,
    )
    assert [(one["key"], one["metadata"]) for one in found["vectors"]] == [
        ("a", {"topic": "tax"}),
        ("c", {"topic": "tax"}),
    ]


def test_a_list_has_pages(client: Any) -> None:
    first = client.list_vectors(**_WHERE, maxResults=2)
    rest = client.list_vectors(**_WHERE, maxResults=2, nextToken=first["nextToken"])
    assert [one["key"] for one in (*first["vectors"], *rest["vectors"])] == ["a", "b", "c"]
    assert "nextToken" not in rest


@pytest.mark.parametrize(
    "wrong",
    [
        {"queryVector": {"float32": [1.0]}},
        {"queryVector": {"float32": [0.0, 0.0]}},
        {"topK": 101},
        {"queryTexts": [{"text": "10-K", "metadataKey": "text"}]},
        {"filter": {"topic": {"$like": "t"}}},
    ],
)
def test_a_wrong_query_is_refused(client: Any, wrong: dict[str, Any]) -> None:
    asked = {**_WHERE, "topK": 1, "queryVector": {"float32": [1.0, 0.0]}} | wrong
    with pytest.raises(client.exceptions.ValidationException):
        client.query_vectors(**asked)


def test_an_unknown_index_is_not_found(client: Any) -> None:
    with pytest.raises(client.exceptions.NotFoundException):
        client.query_vectors(
            vectorBucketName="vectors", indexName="other", topK=1, queryVector={"float32": [1.0]}
        )


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"topic": "tax"}, True),
        ({"topic": {"$eq": "x"}}, False),
        ({"topic": {"$ne": "x"}}, True),
        ({"other": {"$ne": "x"}}, False),
        ({"tags": "b"}, True),
        ({"tags": {"$in": ["c", "b"]}}, True),
        ({"tags": {"$nin": ["c", "b"]}}, False),
        ({"year": {"$gt": 2019, "$lte": 2020}}, True),
        ({"year": {"$lt": 2020}}, False),
        ({"topic": {"$gte": 1}}, False),
        ({"flag": 1}, False),
        ({"flag": True}, True),
        ({"other": {"$exists": False}}, True),
        ({"$or": [{"topic": "x"}, {"year": 2020}]}, True),
        ({"$and": [{"topic": "x"}, {"year": 2020}]}, False),
    ],
)
def test_operators_mean_what_aws_documents(where: dict[str, Any], expected: bool) -> None:
    metadata = {"topic": "tax", "year": 2020, "tags": ["a", "b"], "flag": True}
    assert matches(where, metadata) is expected
