"""Which proxy settings a child process gets."""

import urllib.request

import pytest

from local.net.proxies import proxies_except_loopback


def test_without_a_proxy_nothing_is_set() -> None:
    assert proxies_except_loopback({"NO_PROXY": "example.com", "HTTP_PROXY": ""}) == {}


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "http_proxy"])
def test_loopback_is_an_exception_and_the_users_own_exceptions_stay(name: str) -> None:
    proxy = "http://proxy.example:3128"
    made = proxies_except_loopback({name: proxy, "NO_PROXY": "intranet.example", "OTHER": "x"})
    assert made.pop(name) == proxy
    assert made.keys() == {"NO_PROXY", "no_proxy"}
    proxies = {"no": made["no_proxy"]}
    for host in ("127.0.0.1:8080", "localhost:8080", "intranet.example"):
        assert urllib.request.proxy_bypass_environment(host, proxies), host  # type: ignore[attr-defined]
    bedrock = "bedrock-runtime.us-east-1.amazonaws.com"
    assert not urllib.request.proxy_bypass_environment(bedrock, proxies)  # type: ignore[attr-defined]
