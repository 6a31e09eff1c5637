"""The plain peer: the routes of `subject` on FastAPI and Mangum, with standard logging."""

import json
import logging
import os
from datetime import UTC, datetime
from typing import Annotated, Any

import boto3
import httpx
from fastapi import FastAPI, Request
from mangum import Mangum
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

# Not the root logger: at INFO, Mangum and httpx write seven more lines a request.
logger = logging.getLogger("api")
logger.setLevel(logging.INFO)
app = FastAPI()
secrets = boto3.client("secretsmanager")
http = httpx.Client(timeout=25)


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


@app.middleware("http")
async def log_requests(request: Request, call_next: Any) -> Any:
    """Log two lines for each request."""
    logger.info(
        json.dumps({"event": "request_started", "method": request.method, "path": request.url.path})
    )
    response = await call_next(request)
    logger.info(json.dumps({"event": "request_completed", "status": response.status_code}))
    return response


@app.get("/health")
async def health() -> dict[str, str]:
    """Answer that the service is healthy."""
    return {
        "status": "healthy",
        "service": os.environ["SERVICE_NAME"],
        "environment": os.environ["ENVIRONMENT"],
        "timestamp": datetime.now(UTC).isoformat(),
    }


@app.post("/valuations")
async def post_valuation(portfolio: Portfolio) -> Valuation:
    """Add up the positions."""
    total = sum(holding.shares * holding.price for holding in portfolio.holdings)
    logger.info(json.dumps({"event": "valued", "positions": len(portfolio.holdings)}))
    return Valuation(owner=portfolio.owner, total=total, positions=len(portfolio.holdings))


@app.post("/ask")
def post_ask(question: Question) -> dict[str, Any]:
    """Ask another service, with the key from Secrets Manager."""
    name = f"{os.environ['PROJECT_NAME']}/{os.environ['ENVIRONMENT']}/api/api-key"
    key = secrets.get_secret_value(SecretId=name)["SecretString"]
    response = http.post(
        f"{os.environ['API_GATEWAY_URL']}/chat/messages",
        json={"messages": [{"role": "user", "content": question.question}]},
        headers={"x-api-key": key},
    )
    answer: dict[str, Any] = response.json()
    return {"answer": answer["answer"], "citations": answer["citations"]}


handler = Mangum(app, lifespan="off", api_gateway_base_path="/api")
