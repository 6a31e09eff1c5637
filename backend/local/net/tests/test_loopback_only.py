"""Hosts and origins that a loopback port accepts and refuses."""

import pytest

from local.net.loopback_only import reason_to_refuse


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8080", "localhost:1", "[::1]:65535"])
@pytest.mark.parametrize(
    "origins", [[], ["http://localhost:3000"], ["https://127.0.0.1"], ["HTTP://LOCALHOST:1"]]
)
def test_this_machine_passes(host: str, origins: list[str]) -> None:
    assert reason_to_refuse([host], origins) is None


@pytest.mark.parametrize(
    "hosts",
    [
        [],
        [""],
        ["evil.example"],
        ["evil.example:8080"],
        ["127.0.0.1.evil.example"],
        ["localhost.evil.example:80"],
        ["evil.example@127.0.0.1"],
        ["169.254.169.254"],
        ["0.0.0.0:80"],
        ["127.0.0.1\n"],
        ["127.0.0.1", "evil.example"],
        ["127.0.0.1,evil.example"],
    ],
)
def test_a_foreign_missing_or_second_host_is_refused(hosts: list[str]) -> None:
    reason = reason_to_refuse(hosts, [])
    assert reason is not None
    assert "Host" in reason


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "https://evil.example",
        "http://127.0.0.1.evil.example",
        "http://localhost@evil.example",
        "file://localhost",
        "chrome-extension://localhost",
        "http://localhost, https://evil.example",
    ],
)
def test_a_foreign_origin_is_refused(origin: str) -> None:
    reason = reason_to_refuse(["localhost"], [origin])
    assert reason is not None
    assert "other origins" in reason


def test_of_several_origins_all_must_be_accepted() -> None:
    assert reason_to_refuse(["localhost"], ["http://localhost", "https://evil.example"])


def test_a_configured_origin_passes_but_not_under_a_foreign_host() -> None:
    def configured(origin: str) -> bool:
        return origin == "https://app.example"

    assert not reason_to_refuse(["localhost"], ["https://app.example"], allows_origin=configured)
    assert reason_to_refuse(["app.example"], ["https://app.example"], allows_origin=configured)
    assert reason_to_refuse(["localhost"], ["https://b.example"], allows_origin=configured)
