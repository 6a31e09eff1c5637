"""The user of a request: read from checked claims, forwarded in headers."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Forbidden, InvalidRequest, Unauthenticated
from shared.request import user
from shared.request.user import Claims, User

_NAMES = st.text(min_size=1, max_size=256).filter(str.isprintable)
_USERS = st.builds(User, _NAMES, st.none() | _NAMES, st.booleans())


def _event(authorizer: Any) -> dict[str, Any]:
    return {"aws.event": {"requestContext": {"authorizer": authorizer}}, "headers": []}


@pytest.mark.parametrize(
    ("authorizer", "expected"),
    [
        ({"claims": {"sub": "ana"}}, User("ana")),
        ({"claims": {"sub": "ana", "cognito:groups": "a,curators"}}, User("ana", None, True)),
        ({"claims": {"sub": "ana", "cognito:groups": "acurators"}}, User("ana")),
        ({"claims": {"sub": "ana", "groups": "curators"}}, User("ana")),
        ({"claims": {"sub": "ana", "cognito:username": "b"}, "principalId": "b"}, User("ana")),
        ({"principalId": "ana", "groups": "curators"}, User("ana", None, True)),
        ({"principalId": "ana", "sub": "b", "cognito:groups": "curators"}, User("ana")),
        (None, None),
        ({}, None),
    ],
)
def test_the_user_is_the_subject_of_the_checked_token(authorizer: Any, expected: Any) -> None:
    assert Claims().user(_event(authorizer)) == expected


def test_the_tenant_is_in_the_claim_that_is_configured() -> None:
    claims = {"sub": "ana", "custom:bank": "north", "tenant": "south"}
    scope = _event({"claims": claims})
    assert Claims("custom:bank").user(scope) == User("ana", "north")
    assert Claims().user(scope) == User("ana")
    with pytest.raises(Forbidden, match="custom:branch"):
        Claims("custom:branch").user(scope)


@pytest.mark.parametrize("subject", [None, "", 7, "a\nb", "x" * 257])
def test_a_token_without_a_usable_subject_is_refused(subject: Any) -> None:
    with pytest.raises(Unauthenticated):
        Claims().user(_event({"claims": {"sub": subject}}))


@pytest.mark.parametrize("scope", [_event(None), _event({}), {"headers": []}, {"aws.event": None}])
def test_where_a_user_is_required_a_request_without_one_is_refused(scope: Any) -> None:
    assert Claims().user(scope) is None
    with pytest.raises(Unauthenticated):
        Claims(required=True).user(scope)


@given(_USERS)
def test_forwarded_headers_carry_the_user_unchanged(sent: User) -> None:
    headers = [(name.encode(), value.encode("ascii")) for name, value in sent.headers().items()]
    assert user.of_headers({"headers": headers}) == sent


@pytest.mark.parametrize(
    "headers",
    [
        {"x-user": ""},
        {"x-user": "%0A"},
        {"x-user": "x" * 257},
        {"x-tenant": "north"},
        {"x-roles": "curators"},
        {"x-user": "ana", "x-tenant": ""},
        {"x-user": "ana", "x-roles": "administrators"},
        {"x-user": "ana", "x-roles": "curators,curators"},
    ],
)
def test_wrong_headers_are_refused(headers: dict[str, str]) -> None:
    scope = {"headers": [(name.encode(), value.encode()) for name, value in headers.items()]}
    assert user.is_sent(scope)
    with pytest.raises(InvalidRequest):
        user.of_headers(scope)


@given(_USERS, _USERS)
def test_different_users_own_different_documents(one: User, other: User) -> None:
    same = (one.subject, one.tenant) == (other.subject, other.tenant)
    assert (one.own == other.own) is same
    assert (one.common == other.common) is (one.tenant == other.tenant)
    assert one.own != other.common


def test_curators_write_common_documents_and_others_their_own() -> None:
    assert user.written_owner(None) is None
    assert user.written_owner(User("ana", is_curator=True)) is None
    assert user.written_owner(User("ana", "north", is_curator=True)) == User("b", "north").common
    assert user.written_owner(User("ana")) == User("ana", is_curator=True).own


def test_the_pseudonym_contains_no_part_of_the_subject() -> None:
    # A change of the hash would separate stored documents from their owners.
    assert User("ana").id == "f4680652c545d3b05c03d6d41b08f4aa"
    assert User("ana", "north").id != User("ana").id


def test_a_user_is_current_within_the_block_only() -> None:
    with user.acting_for(User("ana")):
        with user.acting_for(None):
            assert user.current() is None
        assert user.current() == User("ana")
    assert user.current() is None
