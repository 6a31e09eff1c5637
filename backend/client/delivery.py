"""Delivers a request: again where that is safe, and with every failure as an error of its type."""

import time

import httpx

from client.answers import error_of
from client.errors import AdvisorError, TimedOut, Unreachable
from client.retries import Retries


def deliver(http: httpx.Client, request: httpx.Request, attempts: int) -> httpx.Response:
    """Send a request up to `attempts` times and return its answer, which is a 2xx.

    Raises:
        AdvisorError: The subclass says how it failed.
    """
    retries = Retries(request, attempts)
    while True:
        try:
            return _once(http, request)
        except AdvisorError as error:
            if (wait := retries.seconds_before_next(error)) is None:
                raise
        time.sleep(wait)


def no_answer(error: httpx.TransportError, host: str) -> AdvisorError:
    """Return the error for a request that got no answer."""
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
        return Unreachable(f"{host} cannot be reached: check the URL and the network")
    if isinstance(error, httpx.TimeoutException):
        return TimedOut(f"{host} did not answer in time; the request may have been carried out")
    return TimedOut(f"the connection to {host} broke; the request may have been carried out")


def _once(http: httpx.Client, request: httpx.Request) -> httpx.Response:
    try:
        response = http.send(request)
    except httpx.TransportError as error:
        raise no_answer(error, request.url.host) from error
    if not response.is_success:
        raise error_of(response)
    return response
