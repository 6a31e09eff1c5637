"""After a revocation the gateway refuses every key that worked before."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from deploy import revoke as program
from deploy.program import Refused
from deploy.revoke import KeySecret, revoke
from deploy.tests.fakes import Environ, StartResponse, serving

_NAME = "fin-advisor-dev-client"


class _Estate:
    """Secrets Manager and the gateway: a rotation retires all keys but the last two."""

    def __init__(self) -> None:
        self.keys = ["first", "second"]
        self.fails = False
        self.busy = 0
        self.forgets = True
        self.asked: list[str] = []

    def describe_secret(self, *, SecretId: str) -> Any:  # noqa: N803 - boto3's name
        assert SecretId == _NAME
        stages = {self.keys[-1]: ["AWSCURRENT"]}
        if len(self.keys) > 1:
            stages[self.keys[-2]] = ["AWSPREVIOUS"]
        return {"VersionIdsToStages": stages}

    def get_secret_value(self, *, SecretId: str, VersionStage: str) -> Any:  # noqa: N803 - boto3's names
        assert SecretId == _NAME
        return {"SecretString": self.keys[-1 if VersionStage == "AWSCURRENT" else -2]}

    def rotate_secret(self, *, SecretId: str) -> None:  # noqa: N803 - boto3's name
        assert SecretId == _NAME
        if self.busy:
            self.busy -= 1
            error = {"Code": "InvalidRequestException", "Message": "A rotation is in progress."}
            raise ClientError({"Error": error}, "RotateSecret")  # type: ignore[typeddict-item]
        if not self.fails:
            self.keys.append(f"new {len(self.keys)}")

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        assert environ["PATH_INFO"] == "/dev/api/health"
        key = environ["HTTP_X_API_KEY"]
        self.asked.append(key)
        is_known = key in (self.keys[-2:] if self.forgets else self.keys)
        start_response("200 OK" if is_known else "403 Forbidden", [("Content-Length", "0")])
        return [b""]


@pytest.fixture
def estate(monkeypatch: pytest.MonkeyPatch) -> _Estate:
    monkeypatch.setattr(program, "_POLL_SECONDS", 0.01)
    return _Estate()


@pytest.fixture
def url(estate: _Estate) -> Iterator[str]:
    with serving(estate) as served:
        yield f"{served}/dev"


@pytest.mark.parametrize("keys", [["first", "second"], ["first"]])
def test_both_keys_that_worked_are_refused_and_two_new_ones_take_their_place(
    estate: _Estate, url: str, keys: list[str]
) -> None:
    estate.keys = list(keys)
    assert revoke(KeySecret(estate, _NAME), url) == len(keys)
    assert len(estate.keys) == len(keys) + 2
    assert set(estate.asked) == set(keys)


def test_a_rotation_waits_until_the_one_before_is_completed(estate: _Estate) -> None:
    estate.busy = 2
    KeySecret(estate, _NAME).rotate()
    assert estate.keys == ["first", "second", "new 2"]


def test_a_rotation_that_fails_is_reported_with_what_still_works(estate: _Estate) -> None:
    estate.fails = True
    with pytest.raises(Refused, match="The old keys still work"):
        KeySecret(estate, _NAME).rotate(limit_seconds=0.05)


def test_an_old_key_that_is_still_accepted_is_reported(estate: _Estate, url: str) -> None:
    estate.forgets = False
    with pytest.raises(Refused, match=r"still accepts an old key after 0 s\. Disable it"):
        revoke(KeySecret(estate, _NAME), url, limit_seconds=0.05)
