"""A language model on Amazon Bedrock."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from chat.chat_model import (
    Completion,
    ConversationTooLong,
    ModelRefused,
    PromptPassage,
    Written,
)
from chat.converse import ConverseRequest, ModelOptions, used_tokens
from chat.converse_stream import StreamedAnswer, StreamEvent, read_stream
from chat.models import Message
from chat.settings import Settings
from shared.aws.clients import MODEL_ATTEMPTS, aws_client, aws_errors, error_code
from shared.errors import ServiceError
from shared.logging import get_logger
from shared.request import deadline
from shared.telemetry.metrics import measure
from shared.tracing import span

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

MODEL_TIMEOUT_SECONDS: Final = 20.0

_MAX_LOGGED_CHARACTERS: Final = 500
# Phrases in the messages of Bedrock's ValidationException.
_TOO_LONG: Final = re.compile(
    r"(?:input|prompt) is too long|context (?:window|length)|too many (?:input )?tokens",
    re.IGNORECASE,
)
_NO_SUCH_MODEL: Final = re.compile(
    r"model identifier is invalid|on-demand throughput|end of (?:its )?life|marked .*legacy",
    re.IGNORECASE,
)

_log = get_logger(__name__)


def bedrock_model(settings: Settings) -> "BedrockModel":
    """Return the model that the settings name."""
    options = ModelOptions(
        max_output_tokens=settings.chat_max_output_tokens,
        temperature=settings.chat_temperature,
        fields=settings.chat_model_fields,
        native_citations=settings.chat_citations == "native",
    )
    return BedrockModel(settings.chat_model_id, region=settings.aws_region, options=options)


class BedrockModel:
    """A model on Bedrock.

    Once the model refuses an optional parameter, later requests leave it out. Bedrock publishes no
    machine-readable list of the parameters that a model accepts, and changes them without notice.

    Args:
        model_id: A model or inference profile.
        region: Where Bedrock is called.
        options: The limit on the output and the optional parameters.
    """

    def __init__(self, model_id: str, *, region: str, options: ModelOptions) -> None:
        self._model_id = model_id
        self._region = region
        self._options = options
        self._refused: set[str] = set()

    @property
    def model_id(self) -> str:
        """The name of the model."""
        return self._model_id

    async def complete(
        self,
        system: str,
        messages: Sequence[Message],
        *,
        passages: Sequence[PromptPassage] = (),
        written: Written | None = None,
    ) -> Completion:
        """Return the assistant's next turn; with `written`, by Converse's streaming operation.

        Raises:
            Unavailable: Bedrock still throttles or fails after botocore's retries, or fails in the
                middle of a stream.
            DeadlineExceeded: The request's time is used up.
            ConversationTooLong: The conversation does not fit into the context window.
            ModelRefused: Bedrock refuses the request.
            UnusableCompletion: The model wrote nothing.
        """
        # OpenTelemetry's conventions for generative AI; the text itself is never recorded.
        with span(
            f"chat {self._model_id}",
            attributes={
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "aws.bedrock",
                "gen_ai.request.model": self._model_id,
                "gen_ai.request.max_tokens": self._options.max_output_tokens,
            },
        ) as traced:
            request, answer = await self._ask(system, messages, passages, written)
            traced.set_attribute(
                "gen_ai.response.finish_reasons", [str(answer.get("stopReason", "unknown"))]
            )
            # Count before `completion`, which raises if there is no text: the tokens are billed.
            read, wrote = used_tokens(answer)
            traced.set_attribute("gen_ai.usage.input_tokens", read)
            traced.set_attribute("gen_ai.usage.output_tokens", wrote)
            measure("InputTokens", read)
            measure("OutputTokens", wrote)
            return request.completion(answer)

    async def _ask(
        self,
        system: str,
        messages: Sequence[Message],
        passages: Sequence[PromptPassage],
        written: Written | None,
    ) -> tuple[ConverseRequest, dict[str, Any]]:
        """Call Converse, again without each optional parameter that the model refuses."""
        while True:
            request = ConverseRequest(self._options, self._refused, system, messages, passages)
            try:
                answer = self._stream(request, written) if written else self._converse(request)
                # botocore's timeouts limit one attempt; the deadline limits all of them together.
                return request, await deadline.in_time(
                    answer,
                    f"The model {self._model_id} did not answer in time; ask something shorter or "
                    "try again.",
                )
            except _ParametersRefused as refusal:
                self._refused.update(refusal.names)

    async def _converse(self, request: ConverseRequest) -> dict[str, Any]:
        return await asyncio.to_thread(self._call, "converse", request)

    async def _stream(self, request: ConverseRequest, written: Written) -> dict[str, Any]:
        events: asyncio.Queue[StreamEvent | None] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        is_wanted = True

        def take(event: StreamEvent) -> bool:
            loop.call_soon_threadsafe(events.put_nowait, event)
            return is_wanted

        def read() -> None:
            stream = self._call("converse_stream", request)["stream"]
            with closing(stream):
                read_stream(stream, take)

        reading = asyncio.create_task(asyncio.to_thread(read))
        reading.add_done_callback(lambda _: events.put_nowait(None))
        answer = StreamedAnswer(cites=request.cites)
        try:
            while (event := await events.get()) is not None:
                answer.add(event)
                if events.empty():
                    await written(request.segments(answer.beginning()))
            await reading
        finally:
            is_wanted = False  # the thread cannot be cancelled, and stops at its next event
        return answer.whole()

    def _call(self, operation: str, request: ConverseRequest) -> dict[str, Any]:
        client = aws_client(
            "bedrock-runtime",
            region=self._region,
            read_timeout_seconds=MODEL_TIMEOUT_SECONDS,
            max_attempts=MODEL_ATTEMPTS,
        )
        with aws_errors(f"ask the model {self._model_id}"):
            try:
                answer: dict[str, Any] = getattr(client, operation)(
                    modelId=self._model_id, **request.arguments
                )
            except client.exceptions.ClientError as error:
                self._raise_refusal(error, request.optional)
                raise
        return answer

    def _raise_refusal(self, error: "ClientError", optional: Mapping[str, tuple[str, ...]]) -> None:
        """Log AWS's error; raise the matching error of this service if there is one."""
        code = error_code(error)
        message = str(error.response.get("Error", {}).get("Message", ""))
        named = [
            parameter
            for parameter, names in optional.items()
            if code == "ValidationException" and _names_one_of(message, names)
        ]
        _log.warning(
            "bedrock_error",
            model=self._model_id,
            code=code,
            aws_message=message[:_MAX_LOGGED_CHARACTERS],
            left_out=named,
        )
        if named:
            raise _ParametersRefused(named)
        if (refusal := _refusal(code, message, self._model_id)) is not None:
            raise refusal from error


class _ParametersRefused(Exception):
    """The model refused optional parameters: `names` are keys of `ConverseRequest.optional`."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(*names)
        self.names = names


def _names_one_of(message: str, names: Sequence[str]) -> bool:
    return any(re.search(rf"\b{re.escape(name)}\b", message, re.IGNORECASE) for name in names)


def _refusal(code: str, message: str, model_id: str) -> ServiceError | None:
    if code == "AccessDeniedException":
        return ModelRefused(
            f"Bedrock refuses access to the model {model_id}: this account or this service's role "
            'may not use it. "Model access" in docs/runbook.md says what a first use needs.'
        )
    if code == "ResourceNotFoundException" or _NO_SUCH_MODEL.search(message):
        return ModelRefused(
            f"Bedrock does not offer the model {model_id} here, or no longer: set CHAT_MODEL_ID "
            "to an active model of this region, or to an inference profile."
        )
    if code != "ValidationException":
        return None  # `aws_errors` translates it: throttling, an outage, credentials
    if _TOO_LONG.search(message):
        return ConversationTooLong(
            "The question and its passages do not fit into the model's context window: ask with "
            "fewer passages (top_k) or fewer earlier messages."
        )
    return ModelRefused(
        f"Bedrock refuses the request to the model {model_id}; this service's log has the reason "
        "(event bedrock_error)."
    )
