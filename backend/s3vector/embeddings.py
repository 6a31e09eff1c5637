"""Embeds texts with Amazon Titan."""

import json
import math
from array import array
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from s3vector.pool import Pool
from s3vector.store import Vector
from shared.aws.clients import aws_errors
from shared.errors import BadDependency
from shared.telemetry.metrics import measure
from shared.tracing import span

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient


class Embedder(Protocol):
    """An embedding model: texts of similar meaning get similar vectors."""

    model_id: str
    dimensions: int

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return a vector of length 1 for each text, in their order. Blocks.

        Raises:
            Unavailable: The model is throttled or does not answer.
            DeadlineExceeded: The request's time is used up.
            BadDependency: The model refused the request, or its answer is not an embedding.
        """


class TitanEmbedder:
    """Amazon Titan Text Embeddings v2: one text a call, at most 8,192 tokens."""

    def __init__(
        self,
        client: "Callable[[], BedrockRuntimeClient]",
        *,
        model_id: str,
        dimensions: int,
        pool: Pool,
    ) -> None:
        self.model_id = model_id
        self.dimensions = dimensions
        self._client = client
        self._pool = pool

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        unique = list(dict.fromkeys(texts))
        # OpenTelemetry's semantic conventions for generative AI; the texts are never recorded.
        with span(
            f"embeddings {self.model_id}",
            attributes={
                "gen_ai.operation.name": "embeddings",
                "gen_ai.provider.name": "aws.bedrock",
                "gen_ai.request.model": self.model_id,
                "gen_ai.embeddings.dimension.count": self.dimensions,
            },
        ) as current_span:
            answers = self._pool.map(self._embed, unique)
            tokens = sum(count for _, count in answers)
            current_span.set_attribute("gen_ai.usage.input_tokens", tokens)
        measure("InputTokens", tokens)
        vectors = dict(zip(unique, (vector for vector, _ in answers), strict=True))
        return [vectors[text] for text in texts]

    def _embed(self, text: str) -> tuple[Vector, int]:
        request = {"inputText": text, "dimensions": self.dimensions, "normalize": True}
        with aws_errors(f"embed a text with {self.model_id}"):
            answer = self._client().invoke_model(
                modelId=self.model_id,
                body=json.dumps(request),
                contentType="application/json",
                accept="application/json",
            )
            body = answer["body"].read()
        return self._read(body)

    def _read(self, body: bytes) -> tuple[Vector, int]:
        try:
            # array("f") takes four bytes a number, a list of floats eight times as much.
            answer = json.loads(body)
            vector = array("f", answer["embedding"])
            tokens = int(answer.get("inputTextTokenCount", 0))
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise BadDependency(
                f"{self.model_id} did not answer with an embedding. Is it a Titan Text Embeddings "
                "v2 model?"
            ) from error
        if len(vector) != self.dimensions:
            raise BadDependency(
                f"{self.model_id} returned {len(vector)} dimensions instead of {self.dimensions}; "
                "set EMBEDDING_DIMENSIONS to a dimension that the model supports."
            )
        if not all(map(math.isfinite, vector)) or not any(vector):
            raise BadDependency(f"{self.model_id} returned a vector that has no direction.")
        return vector, tokens
