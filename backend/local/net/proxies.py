"""The user's proxy settings, for child processes that call the internet and this machine."""

from collections.abc import Mapping

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def proxies_except_loopback(environment: Mapping[str, str]) -> dict[str, str]:
    """The proxy variables in `environment`, and a NO_PROXY that adds the loopback hosts."""
    both_cases = [variable for name in _PROXIES for variable in (name, name.lower())]
    proxies = {name: environment[name] for name in both_cases if environment.get(name)}
    if not proxies:
        return {}
    given = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    exceptions = ",".join([*filter(None, [given]), *_LOOPBACK])
    return {**proxies, "NO_PROXY": exceptions, "no_proxy": exceptions}
