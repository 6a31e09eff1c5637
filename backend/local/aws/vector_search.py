"""Local implementations of what moto lacks of Amazon S3 Vectors: search, pages, CloudFormation.

The vectors are in moto. A search compares all of them; the real service's is approximate. Full-text
queries are not implemented.
"""

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

from local.aws.json_api import Item, JsonApi, Operation, RefusedOperationError, signed_for
from local.aws.wsgi import Environ
from local.blueprint import ACCOUNT_ID

_MOST_RESULTS = 100
_PAGE = 500
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "$gt": lambda found, wanted: found > wanted,
    "$gte": lambda found, wanted: found >= wanted,
    "$lt": lambda found, wanted: found < wanted,
    "$lte": lambda found, wanted: found <= wanted,
}


class VectorSearch(JsonApi):
    """QueryVectors, which moto lacks, and ListVectors, of which moto has one page only."""

    def operation_name(self, environ: Environ) -> str | None:
        name = environ["PATH_INFO"].removeprefix("/")
        is_here = self.operation(name) is not None and signed_for(environ) == "s3vectors"
        return name if is_here else None

    def operation(self, name: str) -> Operation | None:
        return {"QueryVectors": _query, "ListVectors": _list}.get(name)


def _query(body: Item) -> Item:
    index = _index(body)
    query = body.get("queryVector", {}).get("float32", [])
    if "queryTexts" in body:
        raise RefusedOperationError("ValidationException", "Full-text queries need the real AWS.")
    if not 1 <= body["topK"] <= _MOST_RESULTS or len(query) != index.dimension or not any(query):
        raise RefusedOperationError("ValidationException", "topK or queryVector is not valid.")
    where = body.get("filter")
    found = sorted(
        (_distance(query, one.data["float32"]), one.key, one.metadata)
        for one in list(index.vectors.values())
        if where is None or matches(where, one.metadata)
    )
    return {
        "distanceMetric": "cosine",
        "vectors": [
            {
                "key": key,
                **({"distance": distance} if body.get("returnDistance") else {}),
                **({"metadata": metadata} if body.get("returnMetadata") else {}),
            }
            for distance, key, metadata in found[: body["topK"]]
        ],
    }


def _list(body: Item) -> Item:
    vectors = sorted(_index(body).vectors.values(), key=lambda one: str(one.key))
    token = body.get("nextToken")
    if token is not None and not str(token).isdecimal():
        raise RefusedOperationError("ValidationException", "nextToken is not valid.")
    start, size = int(token or 0), body.get("maxResults", _PAGE)
    end = start + size
    page = [
        {"key": one.key, **({"metadata": one.metadata} if body.get("returnMetadata") else {})}
        for one in vectors[start:end]
    ]
    return {"vectors": page, **({"nextToken": str(end)} if end < len(vectors) else {})}


def matches(where: Mapping[str, Any], metadata: Mapping[str, Any]) -> bool:
    """Return whether metadata match a filter; a list matches if one of its elements does."""
    return all(_matches(key, condition, metadata) for key, condition in where.items())


def _matches(key: str, condition: Any, metadata: Mapping[str, Any]) -> bool:
    if key in {"$and", "$or"}:
        join = all if key == "$and" else any
        return join(matches(one, metadata) for one in condition)
    if not isinstance(condition, Mapping):
        condition = {"$eq": condition}
    value = metadata.get(key, [])
    found = value if isinstance(value, list) else [value]
    return all(
        (key in metadata) is operand
        if operator == "$exists"
        else _compares(operator, operand, found)
        for operator, operand in condition.items()
    )


def _compares(operator: str, operand: Any, found: list[Any]) -> bool:
    if operator in _COMPARISONS:
        return any(_is_number(one) and _COMPARISONS[operator](one, operand) for one in found)
    wanted = operand if isinstance(operand, list) else [operand]
    equal = any(_equal(one, other) for one in found for other in wanted)
    if operator in {"$eq", "$in"}:
        return equal
    if operator in {"$ne", "$nin"}:
        return bool(found) and not equal
    raise RefusedOperationError("ValidationException", f"{operator} is no operator of a filter.")


def _equal(one: object, other: object) -> bool:
    # In Python True == 1; in a filter a boolean never equals a number.
    return isinstance(one, bool) is isinstance(other, bool) and one == other


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _distance(one: list[float], other: list[float]) -> float:
    return 1 - math.sumprod(one, other) / (math.hypot(*one) * math.hypot(*other))


def _index(body: Item) -> Any:
    from moto.s3vectors.exceptions import IndexNotFound

    try:
        return _backend().get_index(
            body.get("vectorBucketName"), body.get("indexName"), body.get("indexArn")
        )
    except IndexNotFound as error:
        raise RefusedOperationError("NotFoundException", "There is no such index.") from error


def _backend() -> Any:
    from moto.backends import get_backend

    return get_backend("s3vectors")[ACCOUNT_ID]["aws"]


@functools.cache
def define_stack_resources() -> None:
    """Let stacks create vector buckets and indexes, which moto leaves out.

    moto finds the subclasses of its `CloudFormationModel` when it parses the first stack.
    """
    from moto.core.common_models import CloudFormationModel

    class VectorBucket(CloudFormationModel):
        physical_resource_id: str

        @staticmethod
        def cloudformation_type() -> str:
            return "AWS::S3Vectors::VectorBucket"

        @staticmethod
        def cloudformation_name_type() -> str:
            return "VectorBucketName"

        @classmethod
        def create_from_cloudformation_json(
            cls,
            resource_name: str,
            cloudformation_json: Item,
            account_id: str,  # noqa: ARG003
            region_name: str,  # noqa: ARG003
            **_: Any,
        ) -> Any:
            encryption = cloudformation_json["Properties"].get("EncryptionConfiguration", {})
            _backend().create_vector_bucket(
                "aws", resource_name, {"sseType": encryption.get("SseType", "AES256")}
            )
            return _named(cls(), resource_name)

        @classmethod
        def delete_from_cloudformation_json(
            cls,
            resource_name: str,
            cloudformation_json: Item,  # noqa: ARG003
            account_id: str,  # noqa: ARG003
            region_name: str,  # noqa: ARG003
        ) -> None:
            _backend().delete_vector_bucket(resource_name)

    class Index(CloudFormationModel):
        physical_resource_id: str

        @staticmethod
        def cloudformation_type() -> str:
            return "AWS::S3Vectors::Index"

        @staticmethod
        def cloudformation_name_type() -> str:
            return "IndexName"

        @classmethod
        def create_from_cloudformation_json(
            cls,
            resource_name: str,
            cloudformation_json: Item,
            account_id: str,  # noqa: ARG003
            region_name: str,  # noqa: ARG003
            **_: Any,
        ) -> Any:
            of = cloudformation_json["Properties"]
            kind, dimension, metric = of["DataType"], int(of["Dimension"]), of["DistanceMetric"]
            bucket = of["VectorBucketName"]
            _backend().create_index(bucket, "", resource_name, kind, dimension, metric)
            return _named(cls(), resource_name)

        @classmethod
        def delete_from_cloudformation_json(
            cls,
            resource_name: str,
            cloudformation_json: Item,
            account_id: str,  # noqa: ARG003
            region_name: str,  # noqa: ARG003
        ) -> None:
            bucket = cloudformation_json["Properties"]["VectorBucketName"]
            _backend().delete_index(bucket, resource_name, "")


def _named(resource: Any, name: str) -> Any:
    resource.physical_resource_id = name
    return resource
