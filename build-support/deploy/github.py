"""A client for the part of GitHub's REST API that the programs call."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self

import httpx

from deploy.program import Refused

_TIMEOUT: Final = httpx.Timeout(30, read=300)
_MOST_NESTED_TAGS: Final = 5


class Github:
    """One repository.

    Args:
        repository: OWNER/NAME.
        token: The token of the workflow's job.
        url: URL of the API.
    """

    def __init__(self, repository: str, token: str, url: str = "https://api.github.com") -> None:
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
            raise Refused(f"GITHUB_REPOSITORY is {repository!r}, not OWNER/NAME")
        self._api = url
        self._owner = repository.partition("/")[0]
        self._client = httpx.Client(
            base_url=f"{url}/repos/{repository}/",
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {token}",
                "X-GitHub-Api-Version": "2022-11-28",
            },
            timeout=_TIMEOUT,
            follow_redirects=True,
        )

    @classmethod
    def of_environment(cls) -> Self:
        """Return a client for the repository whose workflow runs, from GitHub's variables."""
        variables = {name: os.environ.get(name, "") for name in ("GITHUB_REPOSITORY", "GH_TOKEN")}
        if missing := [name for name, value in variables.items() if not value]:
            raise Refused(
                f"{' and '.join(missing)} not set: this program runs in a workflow of GitHub"
            )
        url = os.environ.get("GITHUB_API_URL", "https://api.github.com")
        return cls(variables["GITHUB_REPOSITORY"], variables["GH_TOKEN"], url)

    def find(self, path: str) -> dict[str, Any] | None:
        """Return a setting of the repository, or None if there is none at that path."""
        response = self._client.get(path, params={"per_page": "30"})
        return None if response.status_code == 404 else self._checked(response)

    def find_list(self, path: str) -> list[dict[str, Any]]:
        """Return the first 100 settings of a list."""
        return self._list(path)

    def send(self, method: str, path: str, content: Mapping[str, Any] | None = None) -> None:
        """Change a setting of the repository."""
        self._object(method, path, content)

    def reviewer(self, name: str) -> dict[str, Any]:
        """Return the `type` and `id` of a team of the repository's owner, or else of a user.

        Raises:
            Refused: There is neither.
        """
        for kind, url in (
            ("Team", f"{self._api}/orgs/{self._owner}/teams/{name}"),
            ("User", f"{self._api}/users/{name}"),
        ):
            response = self._client.get(url)
            if response.status_code != 404:
                return {"type": kind, "id": self._checked(response)["id"]}
        raise Refused(f"{name} is neither a team of {self._owner} nor a user of GitHub")

    def environment(self, name: str) -> dict[str, Any]:
        """Return a deployment environment with its protection rules."""
        return self._object("GET", f"environments/{name}")

    def approvals(self, run_id: str) -> list[dict[str, Any]]:
        """Return the reviews of a run's pending deployments."""
        return self._list(f"actions/runs/{run_id}/approvals")

    def open_issue(self, label: str) -> dict[str, Any] | None:
        """Return the oldest open issue with a label."""
        query = {"labels": label, "state": "open", "sort": "created", "direction": "asc"}
        return next(iter(self._list("issues", query)), None)

    def create_issue(self, title: str, body: str, label: str) -> dict[str, Any]:
        content = {"title": title, "body": body, "labels": [label]}
        return self._object("POST", "issues", content)

    def update_issue(self, number: int, **changes: str) -> dict[str, Any]:
        return self._object("PATCH", f"issues/{number}", changes)

    def comment(self, number: int, body: str) -> None:
        self._object("POST", f"issues/{number}/comments", {"body": body})

    def comments(self, number: int) -> list[dict[str, Any]]:
        """Return the first 100 comments of an issue or pull request, oldest first."""
        return self._list(f"issues/{number}/comments")

    def update_comment(self, identifier: int, body: str) -> None:
        self._object("PATCH", f"issues/comments/{identifier}", {"body": body})

    def tag_commit(self, tag: str) -> str:
        """Return the commit of a tag; annotated tags are resolved.

        Raises:
            Refused: The tag does not exist, or is not a tag of a commit.
        """
        found = self._object("GET", f"git/ref/tags/{tag}")["object"]
        for _ in range(_MOST_NESTED_TAGS):
            if found["type"] != "tag":
                break
            found = self._object("GET", f"git/tags/{found['sha']}")["object"]
        if found["type"] != "commit":
            raise Refused(f"the tag {tag} names a {found['type']}, not a commit")
        return str(found["sha"])

    def release(self, tag: str) -> dict[str, Any] | None:
        """Return the release of a tag, or None if there is none."""
        response = self._client.get(f"releases/tags/{tag}")
        if response.status_code == 404:
            return None
        return self._checked(response)

    def create_release(self, tag: str, commit: str, notes: str) -> dict[str, Any]:
        """Create a pre-release; `promote_release` makes it the latest release."""
        content = {
            "tag_name": tag,
            "target_commitish": commit,
            "name": tag,
            "body": notes,
            "prerelease": True,
        }
        return self._object("POST", "releases", content)

    def promote_release(self, identifier: int) -> None:
        content = {"prerelease": False, "make_latest": "true"}
        self._object("PATCH", f"releases/{identifier}", content)

    def upload(self, release: Mapping[str, Any], path: Path) -> None:
        """Add a file to a release."""
        url = str(release["upload_url"]).partition("{")[0]
        with path.open("rb") as file:
            response = self._client.post(
                url,
                params={"name": path.name},
                content=file,
                headers={
                    "Content-Type": "application/octet-stream",
                    "Content-Length": str(path.stat().st_size),
                },
            )
        self._checked(response)

    def download(self, asset: Mapping[str, Any], path: Path) -> None:
        """Download a file of a release."""
        accept = {"Accept": "application/octet-stream"}
        with self._client.stream("GET", asset["url"], headers=accept) as response:
            if response.status_code != 200:
                raise Refused(f"GitHub answered {response.status_code} for {asset['name']}")
            with path.open("wb") as file:
                for part in response.iter_bytes():
                    file.write(part)

    def _object(self, method: str, path: str, content: Any = None) -> dict[str, Any]:
        return self._checked(self._client.request(method, path, json=content))

    def _list(self, path: str, query: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
        response = self._client.get(path, params={"per_page": "100", **(query or {})})
        found: Any = self._checked(response)
        return list(found)

    def _checked(self, response: httpx.Response) -> dict[str, Any]:
        if response.is_error:
            raise Refused(
                f"GitHub answered {response.status_code} to {response.request.method} "
                f"{response.request.url.path}: {response.text[:300]}"
            )
        found: dict[str, Any] = response.json() if response.content else {}
        return found
