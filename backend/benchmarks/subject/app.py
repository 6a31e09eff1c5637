"""Our candidate: the routes that the peers have too, on the shared library."""

from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.api_client import ServiceAPIClient
from shared.app import create_service_app
from shared.logging import get_logger
from shared.settings import FullServiceSettings

log = get_logger(__name__)
router = APIRouter()


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

    model_config = ConfigDict(extra="forbid")

    question: Annotated[str, StringConstraints(min_length=1, max_length=4_000)]
    top_k: Annotated[int, Field(ge=1, le=20)] = 5


@router.post("/valuations", summary="Value a portfolio")
async def post_valuation(portfolio: Portfolio) -> Valuation:
    """Add up the positions."""
    total = sum(holding.shares * holding.price for holding in portfolio.holdings)
    log.info("valued", positions=len(portfolio.holdings))
    return Valuation(owner=portfolio.owner, total=total, positions=len(portfolio.holdings))


@router.post("/ask", summary="Ask another service")
async def post_ask(question: Question, request: Request) -> dict[str, Any]:
    """Ask another service, with the key from Secrets Manager."""
    client: ServiceAPIClient = request.app.state.client
    response = await client.post(
        "/chat/messages",
        json={"messages": [{"role": "user", "content": question.question}]},
    )
    answer: dict[str, Any] = response.json()
    return {"answer": answer["answer"], "citations": answer["citations"]}


def create_app(settings: FullServiceSettings) -> FastAPI:
    """Return the application."""
    # The peers check no scopes of keys, so this does not either.
    unchecked = settings.model_copy(update={"enable_service_api_keys": False})
    app = create_service_app(
        unchecked, title="subject", description="The routes that are measured.", routers=[router]
    )
    app.state.client = ServiceAPIClient(settings=settings)
    return app
