"""The tools: a name, a scope of the API key, the bodies of the HTTP API, and the call."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from api.models import (
    AskRequest,
    AskResponse,
    Documents,
    Ingestion,
    IngestionRequest,
    SearchRequest,
    SearchResponse,
)
from api.services import Services
from shared.errors import ServiceError, describe_problems
from shared.ingestion.documents import IngestedDocument
from shared.models import InterServiceResponse

type Call = Callable[[Services, Any], Awaitable[BaseModel]]


class StatusArguments(BaseModel):
    """Nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class IngestArguments(BaseModel):
    """Texts to store."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    documents: Documents


@dataclass(frozen=True)
class Tool:
    """A tool that a key with a scope may list and call."""

    name: str
    title: str
    description: str
    scope: str
    arguments: type[BaseModel]
    answer: type[BaseModel]
    call: Call
    reads_only: bool = True

    def definition(self) -> dict[str, Any]:
        """Return the tool as `tools/list` describes it."""
        return _definition(self)

    async def result(self, services: Services, arguments: Any) -> dict[str, Any]:
        """Return the tool's result; its own errors are results, so that a model can read them."""
        try:
            body = self.arguments.model_validate(arguments)
            answer = await self.call(services, body)
        except ValidationError as error:
            return _error(f"The arguments are wrong: {describe_problems(error.errors())}")
        except ServiceError as error:
            return _error(f"{error.detail} ({error.code})")
        # Structured content, and the same as text for clients that read only text.
        return {
            "content": [{"type": "text", "text": answer.model_dump_json()}],
            "structuredContent": answer.model_dump(mode="json"),
            "isError": False,
        }


async def _status(services: Services, _: StatusArguments) -> InterServiceResponse:
    return await services.health()


async def _ingest(services: Services, body: IngestArguments) -> Ingestion:
    documents = [
        IngestedDocument(id=one.id, title=one.title, metadata=one.metadata, text=one.text)
        for one in body.documents
    ]
    return await services.start_ingestion(IngestionRequest(documents=documents), None)


TOOLS: Final = (
    Tool(
        "ask",
        "Ask about personal finance",
        "Answers a question from the stored documents. Each sentence of the answer was checked "
        "against the passages that `citations` quotes. It is general information, not advice.",
        "ask",
        AskRequest,
        AskResponse,
        Services.ask,
        reads_only=False,  # it continues a conversation
    ),
    Tool(
        "search",
        "Find passages",
        "Returns the stored passages nearest to some words, best first.",
        "ask",
        SearchRequest,
        SearchResponse,
        Services.search,
    ),
    Tool(
        "status",
        "State of the services",
        "Checks whether the services behind the API are healthy.",
        "read",
        StatusArguments,
        InterServiceResponse,
        _status,
    ),
    Tool(
        "ingest",
        "Store documents",
        "Stores texts, so that questions are answered from them. Documents with the same ids are "
        "replaced. It works in the background; `search` finds the texts after a minute or so.",
        "write",
        IngestArguments,
        Ingestion,
        _ingest,
        reads_only=False,
    ),
)


@cache
def _definition(tool: Tool) -> dict[str, Any]:
    return {
        "name": tool.name,
        "title": tool.title,
        "description": tool.description,
        "inputSchema": tool.arguments.model_json_schema(),
        "outputSchema": tool.answer.model_json_schema(mode="serialization"),
        "annotations": {"readOnlyHint": tool.reads_only, "openWorldHint": False},
    }


def _error(text: str) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": text}], "isError": True}
