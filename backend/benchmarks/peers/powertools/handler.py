"""The Powertools peer: the routes of `subject` on its resolver, tracer and logger.

It is written as Powertools' documentation shows. It calls another service through urllib3, which
botocore imports anyway: another HTTP client would make the peer's cold start slower.
"""

import json
import os
from datetime import UTC, datetime
from typing import Annotated, Any

import urllib3
from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

tracer = Tracer()
logger = Logger()
app = APIGatewayRestResolver(enable_validation=True, strip_prefixes=["/api"])
http = urllib3.PoolManager()


class Holding(BaseModel):
    """A line of a portfolio."""

    model_config = ConfigDict(extra="forbid")

    symbol: Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,5}$")]
    shares: Annotated[float, Field(gt=0, le=1_000_000)]
    price: Annotated[float, Field(gt=0, le=1_000_000)]


class Portfolio(BaseModel):
    """A portfolio to value."""

    model_config = ConfigDict(extra="forbid")

    owner: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    holdings: Annotated[list[Holding], Field(min_length=1, max_length=50)]


class Valuation(BaseModel):
    """What a portfolio is worth."""

    owner: str
    total: float
    positions: int


class Question(BaseModel):
    """A question about the documents."""

    question: Annotated[str, StringConstraints(min_length=1, max_length=4_000)]
    top_k: Annotated[int, Field(ge=1, le=20)] = 5


@app.get("/health")
@tracer.capture_method
def health() -> dict[str, str]:
    """Answer that the service is healthy."""
    return {
        "status": "healthy",
        "service": os.environ["SERVICE_NAME"],
        "environment": os.environ["ENVIRONMENT"],
        "timestamp": datetime.now(UTC).isoformat(),
    }


@app.post("/valuations")
@tracer.capture_method
def post_valuation(portfolio: Portfolio) -> Valuation:
    """Add up the positions."""
    total = sum(holding.shares * holding.price for holding in portfolio.holdings)
    logger.info("valued", positions=len(portfolio.holdings))
    return Valuation(owner=portfolio.owner, total=total, positions=len(portfolio.holdings))


@app.post("/ask")
@tracer.capture_method
def post_ask(question: Question) -> dict[str, Any]:
    """Ask another service, with the key from Secrets Manager."""
    name = f"{os.environ['PROJECT_NAME']}/{os.environ['ENVIRONMENT']}/api/api-key"
    key = parameters.get_secret(name, max_age=300)
    response = http.request(
        "POST",
        f"{os.environ['API_GATEWAY_URL']}/chat/messages",
        body=json.dumps({"messages": [{"role": "user", "content": question.question}]}),
        headers={"x-api-key": str(key), "content-type": "application/json"},
        timeout=urllib3.Timeout(connect=3, read=25),
    )
    answer: dict[str, Any] = response.json()
    return {"answer": answer["answer"], "citations": answer["citations"]}


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST)
@tracer.capture_lambda_handler
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer an event of API Gateway, and log two lines for it as the other candidates do."""
    logger.info("request_started", method=event["httpMethod"], path=event["path"])
    answer = app.resolve(event, context)
    logger.info("request_completed", status=answer["statusCode"])
    return answer
