"""Uploads large files to S3, by the URL that the API presigns."""

import hashlib
from typing import Final

import httpx

from client import Client, models
from client.cli.outcome import CommandError, exit_of
from client.delivery import deliver
from client.errors import AdvisorError, ApiError

_TIMEOUT: Final = httpx.Timeout(60.0, connect=5.0)
_ATTEMPTS: Final = 4


def upload(client: Client, content: bytes, content_type: str) -> str:
    """Upload a file, unless it is there already; return the upload's id.

    Raises:
        AdvisorError: The API presigned no URL.
        CommandError: S3 did not take the file.
    """
    request = models.UploadRequest.model_validate(
        {
            "content_type": content_type,
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
    )
    where = client.create_upload(request)
    if not where.is_stored:
        _put(where, content)
    return where.id


def _put(where: models.Upload, content: bytes) -> None:
    # A connection of its own, without the API key.
    with httpx.Client(timeout=_TIMEOUT) as http:
        request = http.build_request(
            where.method, where.url, headers=where.headers, content=content
        )
        try:
            deliver(http, request, _ATTEMPTS)
        except AdvisorError as error:
            reason = f"HTTP {error.status}" if isinstance(error, ApiError) else str(error)
            raise CommandError(f"The upload to S3 failed: {reason}.", exit_of(error)) from None
