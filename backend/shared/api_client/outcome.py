"""The outcome of a call: the answer if it is a 2xx, otherwise the error that describes it."""

import httpx

from shared.api_client.answers import (
    is_key_refusal,
    is_outage,
    retry_after_seconds,
    text_fields,
    was_retried,
)
from shared.api_client.call import is_repeatable
from shared.api_client.errors import (
    BadAnswer,
    CallTimeout,
    KeyRefused,
    QuotaExceeded,
    RequestRefused,
    Throttled,
)


def require_success(response: httpx.Response) -> httpx.Response:
    """Return the answer if it is a 2xx.

    Raises:
        CallError: The answer is anything else.
    """
    status = response.status_code
    if 200 <= status < 300:
        return response
    fields = text_fields(response)
    target = f"{response.request.method} {response.request.url.path}"
    detail = fields.get("detail") or fields.get("message") or f"HTTP {status}"
    retry_after = retry_after_seconds(response)
    if status == 429 and fields.get("message") == "Limit Exceeded":
        raise QuotaExceeded(f"{target}: this service's quota is used up.", response=response)
    if status == 429:
        raise Throttled(
            f"{target}: too many requests.",
            response=response,
            retryable=True,
            retry_after=retry_after or 1,
        )
    if is_key_refusal(response):
        raise KeyRefused(f"{target}: the gateway refuses this service's key.", response=response)
    if 400 <= status < 500:
        raise RequestRefused(detail, response=response)
    if status < 400:
        raise BadAnswer(f"{target}: redirects are not followed.", response=response)
    is_transient = status in {502, 503, 504} or (status == 500 and is_outage(response))
    request = response.request
    error_type = CallTimeout if status == 504 else BadAnswer
    error = error_type(
        f"{target}: {detail}",
        response=response,
        # Even a 503 does not prove that the request was not carried out.
        retryable=is_transient
        and not was_retried(response)
        and is_repeatable(request.method, request.headers),
        retry_after=retry_after,
    )
    if status == 503:
        error.status, error.code = 503, "unavailable"
    raise error
