"""Fakes of what tests cannot run: the services' code, the gateway, Terraform, Docker, GitHub.

The fakes do not decide where traffic goes: they read it from the embedded AWS, which the
programs under test change.
"""

import io
import json
import re
import tarfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from deploy.image_contents import write_bill
from deploy.manifest import PACKAGES, bill_of
from services.declared import CONTAINERS, ROUTED

type Environ = dict[str, Any]
type StartResponse = Callable[..., Any]
type Wsgi = Callable[[Environ, StartResponse], Iterable[bytes]]

_INVOCATION: Final = re.compile(r"/2015-03-31/functions/([^/]+)/invocations")


@contextmanager
def serving(application: Wsgi) -> Iterator[str]:
    """Serve a WSGI application on a free port of the loopback interface."""
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log(self, *_: Any) -> None:
            """Log nothing."""

    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


@dataclass(frozen=True)
class Code:
    """The behaviour of a release's code; a broken one does not start, or does not answer."""

    release: str
    starts: bool = True
    answers: bool = True


@dataclass
class Estate:
    """The services and the gateway, which run the code that the embedded AWS serves.

    Attributes:
        codes: Code by the base64 SHA-256 of its package, or by its image.
        client: Returns a boto3 client of the embedded AWS.
        runner_image: Returns the image that the runner's App Runner service runs.
    """

    codes: dict[str, Code] = field(default_factory=dict)
    client: Callable[[str], Any] = lambda name: None
    runner_image: Callable[[], str] = lambda: ""

    def function(self, name: str, qualifier: str) -> Code:
        """Return the code that an alias or a version of a function runs."""
        function = self.client("lambda").get_function(FunctionName=name, Qualifier=qualifier)
        return self.codes[function["Configuration"]["CodeSha256"]]

    def code(self, service: str) -> Code:
        """Return the code that answers requests to a service."""
        return (
            self.codes[self.runner_image()]
            if service in CONTAINERS
            else self.function(f"fin-advisor-dev-{service}", "live")
        )

    def invocations(self, aws: Wsgi) -> Wsgi:
        """Add Lambda's Invoke to the embedded AWS, which runs no functions."""

        def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            match = _INVOCATION.fullmatch(environ["PATH_INFO"])
            if match is None:
                return aws(environ, start_response)
            qualifier = re.search(r"Qualifier=([^&]+)", environ.get("QUERY_STRING", ""))
            code = self.function(match[1], qualifier[1] if qualifier else "$LATEST")
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            if not code.starts:
                error = {"errorType": "Runtime.ImportModuleError", "errorMessage": "no module"}
                headers = [("X-Amz-Function-Error", "Unhandled")]
                return _answer(start_response, 200, error, headers)
            if "httpMethod" in json.loads(body):
                return _answer(start_response, 200, {"statusCode": 200, "body": "{}"})
            return _answer(start_response, 200, {"test": "secrets", "readable": True})

        return application

    def gateway(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as the stage: API keys, health, `/api/test`, `/api/status`, `/api/ask`."""
        keys = self.client("apigateway").get_api_keys(includeValues=True)["items"]
        if environ.get("HTTP_X_API_KEY") not in {key["value"] for key in keys}:
            return _answer(start_response, 403, {"message": "Forbidden"})
        _, stage, service, *rest = environ["PATH_INFO"].split("/")
        assert stage == "dev", stage
        code = self.code(service)
        if not (code.starts and code.answers):
            return _answer(start_response, 502, {"message": "Internal server error"})
        if rest == ["health"]:
            return _answer(start_response, 200, {"status": "healthy"})
        if rest == ["status"]:
            return _answer(start_response, 200, {"version": code.release, "tracing": True})
        if rest[0] in {"ask", "documents"}:
            citation = {"document_id": "fin-advisor-smoke-test"}
            answer = {"answer": "It examines 47 parts.", "citations": [citation]}
            return _answer(start_response, 200, answer if rest == ["ask"] else {})
        assert rest == ["test"], rest
        return self._test(code, str(environ.get("HTTP_X_AMZN_TRACE_ID", "")), start_response)

    def _test(self, code: Code, header: str, start_response: StartResponse) -> Iterable[bytes]:
        found = {name: self.code(name) for name in ROUTED if name != "api"}
        services = {
            name: {"healthy": each.starts and each.answers, "error": "unreachable"}
            for name, each in found.items()
        }
        match = re.search(r"Root=(1-[0-9a-f]{8}-[0-9a-f]{24})", header)
        trace_id = match[1] if match else "1-00000000-" + "0" * 24
        segment = {
            "name": "api",
            "id": "70de5b6f19ff9a0a",
            "trace_id": trace_id,
            "start_time": int(trace_id[2:10], 16),
            "end_time": int(trace_id[2:10], 16) + 1,
        }
        self.client("xray").put_trace_segments(TraceSegmentDocuments=[json.dumps(segment)])
        answer = {
            "healthy": all(item["healthy"] for item in services.values()),
            "release": code.release,
            "services": services,
            "trace_id": trace_id.replace("-", "")[1:],
        }
        return _answer(start_response, 200, answer)


def _answer(
    start_response: StartResponse,
    status: int,
    content: Any,
    headers: Iterable[tuple[str, str]] = (),
) -> Iterable[bytes]:
    body = json.dumps(content).encode()
    start_response(
        f"{status} Answer",
        [("Content-Type", "application/json"), ("Content-Length", str(len(body))), *headers],
    )
    return [body]


class FakeLambda:
    """The aliases of functions. Those of `stuck` functions accept a change but do not make it."""

    def __init__(self, versions: dict[str, str], stuck: Iterable[str] = ()) -> None:
        self.versions = versions
        self.weights: dict[str, dict[str, float]] = {}
        self.moves: list[tuple[str, str]] = []
        self.invocations: list[tuple[str, str]] = []
        self._stuck = frozenset(stuck)

    def get_alias(self, *, FunctionName: str, Name: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        found: dict[str, Any] = {"FunctionVersion": self.versions[FunctionName]}
        if weights := self.weights.get(FunctionName):
            found["RoutingConfig"] = {"AdditionalVersionWeights": weights}
        return found

    def invoke(self, *, FunctionName: str, Qualifier: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - boto3's name
        assert json.loads(Payload)["httpMethod"] == "GET"
        self.invocations.append((FunctionName, Qualifier))
        return {"Payload": io.BytesIO(b'{"statusCode": 200}')}

    def update_alias(
        self,
        *,
        FunctionName: str,  # noqa: N803 - boto3's name
        Name: str,  # noqa: N803 - boto3's name
        FunctionVersion: str,  # noqa: N803 - boto3's name
        RoutingConfig: Mapping[str, Any],  # noqa: N803 - boto3's name
    ) -> None:
        weights = RoutingConfig["AdditionalVersionWeights"]
        if not weights:
            self.moves.append((FunctionName, FunctionVersion))
        if FunctionName not in self._stuck:
            self.versions[FunctionName] = FunctionVersion
            self.weights[FunctionName] = dict(weights)


class FakeMetrics:
    """CloudWatch's GetMetricData: `count` returns the sum of a metric.

    It is called with the metric's name, its dimensions, and whether the time before the canary is
    asked for, which is what the first question about a metric asks.
    """

    def __init__(self, count: Callable[[str, Mapping[str, str], bool], float]) -> None:
        self._count = count
        self._asked: set[str] = set()

    def get_paginator(self, name: str) -> Any:
        assert name == "get_metric_data"
        return self

    def paginate(
        self,
        *,
        MetricDataQueries: list[dict[str, Any]],  # noqa: N803 - boto3's name
        StartTime: Any,  # noqa: N803 - boto3's name
        EndTime: Any,  # noqa: N803 - boto3's name
    ) -> Iterator[dict[str, Any]]:
        assert StartTime < EndTime
        for query in MetricDataQueries:
            metric = query["MetricStat"]["Metric"]
            dimensions = {item["Name"]: item["Value"] for item in metric["Dimensions"]}
            name = f"{metric['Namespace']}/{metric['MetricName']}"
            key = f"{name} {sorted(dimensions.items())}"
            first = key not in self._asked
            self._asked.add(key)
            # Two values, as of two periods.
            half = self._count(name, dimensions, first) / 2
            yield {"MetricDataResults": [{"Id": query["Id"], "Values": [half, half]}]}


class FakeAppRunner:
    """App Runner with one service, which is in progress for the first `busy` requests."""

    def __init__(self, image: str, *, busy: int = 0, status: str = "RUNNING") -> None:
        self.image = image
        self.updates: list[dict[str, Any]] = []
        self._busy = busy
        self._status = status

    def describe_service(self, *, ServiceArn: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        self._busy -= 1
        source = {
            "AutoDeploymentsEnabled": False,
            "ImageRepository": {"ImageIdentifier": self.image, "ImageRepositoryType": "ECR"},
        }
        status = "OPERATION_IN_PROGRESS" if self._busy >= 0 else self._status
        return {"Service": {"Status": status, "SourceConfiguration": source}}

    def update_service(self, *, ServiceArn: str, SourceConfiguration: dict[str, Any]) -> None:  # noqa: N803 - boto3's name
        assert self._busy < 0, "App Runner refuses a change during another one"
        self.updates.append(SourceConfiguration)
        if self._status == "RUNNING":
            self.image = SourceConfiguration["ImageRepository"]["ImageIdentifier"]


class FakeAccount:
    """What moto lacks for the doctor: Lambda's settings of an account, layers of AWS, refusals.

    Attributes:
        settings: Lambda's limits and usage.
        has_layers: Whether the layers of AWS exist in the region.
        refusals: Status, error type and message, by a part of the request's path or target.
    """

    settings: dict[str, dict[str, int]]
    has_layers: bool
    refusals: dict[str, tuple[int, str, str]]

    def __init__(self) -> None:
        self._recover()

    def _recover(self) -> None:
        self.settings = {
            "AccountLimit": {"ConcurrentExecutions": 1000, "TotalCodeSize": 75 << 30},
            "AccountUsage": {"TotalCodeSize": 1 << 30},
        }
        self.has_layers = True
        self.refusals = {}

    @contextmanager
    def unchanged_afterwards(self) -> Iterator[None]:
        """Undo what the test changes."""
        try:
            yield
        finally:
            self._recover()

    def _refusal(self, environ: Environ) -> tuple[int, str, str] | None:
        request = environ["PATH_INFO"] + " " + environ.get("HTTP_X_AMZ_TARGET", "")
        return next((error for part, error in self.refusals.items() if part in request), None)

    def serves(self, environ: Environ) -> bool:
        """Return whether moto lacks the operation, or the request is to be refused."""
        mine = ("/2016-08-19/account-settings", "/2018-10-31/layers")
        reads = environ["REQUEST_METHOD"] == "GET" and environ["PATH_INFO"].startswith(mine)
        return reads or self._refusal(environ) is not None

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if refusal := self._refusal(environ):
            status, code, message = refusal
        elif environ["PATH_INFO"].startswith("/2016-08-19"):
            return _answer(start_response, 200, self.settings)
        elif self.has_layers:
            return _answer(start_response, 200, {"Version": 1})
        else:
            status, code, message = 403, "AccessDeniedException", "not authorized to perform"
        if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
            # STS and IAM speak XML.
            text = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
            start_response(f"{status} Answer", [("Content-Type", "text/xml")])
            return [f"<ErrorResponse>{text}</ErrorResponse>".encode()]
        error = {"__type": code, "message": message}
        return _answer(start_response, status, error, [("x-amzn-ErrorType", code)])


def write_packages(folder: Path) -> None:
    """Write what `./pants package ::` writes to dist/: each package with its bill of materials."""
    for name in PACKAGES:
        (folder / name).write_bytes(name.encode())
        (folder / bill_of(name)).write_bytes(f'{{"name": "{name}"}}'.encode())


def image_archive(path: Path, content: str, layers: Iterable[Mapping[str, bytes]] = ()) -> None:
    """Write an archive of `docker save`, and its bill, with the given files in each layer."""
    files = {f"{number}/layer.tar": _tar(files) for number, files in enumerate(layers)}
    configuration = {"Labels": {"content": content}, "Env": ["PYTHON_VERSION=3.13.15"]}
    described = [{"Config": "config.json", "Layers": list(files)}]
    path.write_bytes(
        _tar(
            {
                "config.json": json.dumps({"config": configuration}).encode(),
                "manifest.json": json.dumps(described).encode(),
                **files,
            }
        )
    )
    write_bill(path)


def _tar(files: Mapping[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return archive.getvalue()


# A fake terraform. `show` prints the file terraform.json beside it, and `apply` accepts only what
# `plan` has written. The command that the file terraform.refuses names fails. The file
# terraform.log lists the calls, and terraform.serial has the serial of the state.
TERRAFORM: Final = """\
#!/usr/bin/env bash
echo "$*" >>"$0.log"
[[ ! -e $0.refuses || $2 != "$(<"$0.refuses")" ]] || exit 1
case $2 in
  init) ;;
  output) echo '{}' ;;
  version) echo '{"terraform_version": "1.11.4"}' ;;
  state) echo '{"lineage": "one", "serial": '"$(cat "$0.serial" 2>/dev/null || echo 1)}" ;;
  plan) echo 'what terraform plan prints'
    for option; do [[ $option != -out=* ]] || echo keys >"${option#-out=}"; done ;;
  show) cat "$0.json" ;;
  apply) [[ $(<"${*: -1}") == keys ]] ;;
  *) exit 2 ;;
esac
"""

# A fake gh. It verifies a file whose SHA-256 is in the bundle, and accepts the arguments for the
# release of the tests only.
GH: Final = """\
#!/usr/bin/env bash
set -euo pipefail
folder=$(dirname "$3")
expected="attestation verify $3 --bundle $folder/attestation.json --repo acme/fin-advisor \
--signer-workflow acme/fin-advisor/.github/workflows/deploy.yml --source-ref refs/tags/v1.2.3 \
--source-digest 0123456789012345678901234567890123456789 --deny-self-hosted-runners"
[[ "$*" == "$expected" ]] || { echo "unexpected arguments: $*" >&2; exit 2; }
digest=$(sha256sum "$3" | cut -d' ' -f1)
grep -q "$digest" "$5" || { echo "no matching attestation" >&2; exit 1; }
"""

# A fake docker. It stores the digest of the loaded image in a file, and pushes to the embedded ECR.
DOCKER: Final = """\
#!/usr/bin/env bash
exec "$PYTHON" - "$@" <<'PROGRAM'
import hashlib, json, os, sys
from pathlib import Path
import boto3
from deploy.manifest import image_config
store, arguments = Path(os.environ["DOCKER_STORE"]), sys.argv[1:]
match arguments:
    case ["login", *_]:
        pass
    case ["image", "load", "--input", archive]:
        store.write_text(image_config(Path(archive)))
        print("Loaded image: runner:latest")
    case ["image", "tag", "runner:latest", _] | ["tag", "fin-advisor/runner:latest", _]:
        pass
    case ["image", "push", "--quiet", reference] | ["push", reference]:
        repository, _, tag = reference.partition("/")[2].rpartition(":")
        kind = "application/vnd.docker.distribution.manifest.v2+json"
        manifest = {"schemaVersion": 2, "mediaType": kind, "layers": [],
                    "config": {"mediaType": kind, "size": 2, "digest": store.read_text()}}
        text = json.dumps(manifest)
        # Set here, because the embedded AWS gives every image the same digest.
        digest = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
        boto3.client("ecr").put_image(
            repositoryName=repository, imageTag=tag, imageManifest=text, imageDigest=digest)
    case _:
        sys.exit(f"this fake docker does not know {arguments}")
PROGRAM
"""


class FakeGithub:
    """The part of GitHub's REST API that the programs call; its fields are its database."""

    def __init__(self) -> None:
        self.environments: dict[str, Any] = {}
        self.approvals: list[dict[str, Any]] = []
        self.issues: list[dict[str, Any]] = []
        self.comments: list[tuple[int, str]] = []
        self.authors: list[str] = []  # of the comments, in the same order
        self.author = "github-actions[bot]"
        self.releases: list[dict[str, Any]] = []
        self.tags: dict[str, tuple[str, str]] = {}  # type and id of the object that a tag names
        self.files: dict[str, bytes] = {}

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        path = environ["PATH_INFO"].removeprefix("/repos/acme/fin-advisor/")
        data = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        base = f"http://{environ['HTTP_HOST']}/repos/acme/fin-advisor"
        if environ.get("HTTP_AUTHORIZATION") != "Bearer token":
            return _answer(start_response, 401, {"message": "Bad credentials"})
        if path.startswith("upload/"):
            return self._upload(path, environ["QUERY_STRING"], data, base, start_response)
        if path.startswith("assets/"):
            content = self.files[path.removeprefix("assets/")]
            start_response("200 OK", [("Content-Length", str(len(content)))])
            return [content]
        content = json.loads(data or b"{}")
        query = environ["QUERY_STRING"]
        status, answer = self._api(method, path.split("/"), query, content, base)
        return _answer(start_response, status, answer)

    def _api(  # noqa: PLR0911, PLR0912 - one a route
        self, method: str, path: list[str], query: str, content: Mapping[str, Any], base: str
    ) -> tuple[int, Any]:
        match method, path:
            case "GET", ["environments", name] if name in self.environments:
                return 200, self.environments[name]
            case "GET", ["actions", "runs", _, "approvals"]:
                return 200, self.approvals
            case "GET", ["issues"]:
                label = re.search(r"labels=([^&]+)", query)
                wanted = (label[1] if label else "").replace("%3A", ":")
                return 200, [
                    issue
                    for issue in self.issues
                    if wanted in issue["labels"] and issue["state"] == "open"
                ]
            case "POST", ["issues"]:
                self.issues.append({**content, "number": len(self.issues) + 1, "state": "open"})
                return 201, self.issues[-1]
            case "PATCH", ["issues", number]:
                self.issues[int(number) - 1] |= content
                return 200, self.issues[int(number) - 1]
            case "POST", ["issues", number, "comments"]:
                self.comments.append((int(number), content["body"]))
                self.authors.append(self.author)
                return 201, {}
            case "GET", ["issues", number, "comments"]:
                return 200, [
                    {"id": position, "body": body, "user": {"login": author}}
                    for position, ((of, body), author) in enumerate(
                        zip(self.comments, self.authors, strict=True), start=1
                    )
                    if of == int(number)
                ]
            case "PATCH", ["issues", "comments", number]:
                of, _ = self.comments[int(number) - 1]
                self.comments[int(number) - 1] = (of, content["body"])
                return 200, {}
            case "GET", ["git", "ref", "tags", tag] | ["git", "tags", tag] if tag in self.tags:
                kind, named = self.tags[tag]
                return 200, {"object": {"type": kind, "sha": named}}
            case "GET", ["releases", "tags", tag]:
                found = [item for item in self.releases if item["tag_name"] == tag]
                return (200, found[0]) if found else (404, {"message": "Not Found"})
            case "POST", ["releases"]:
                identifier = len(self.releases) + 1
                release = {**content, "id": identifier, "assets": []}
                release["upload_url"] = f"{base}/upload/{identifier}{{?name,label}}"
                self.releases.append(release)
                return 201, release
            case "PATCH", ["releases", number]:
                self.releases[int(number) - 1] |= content
                return 200, self.releases[int(number) - 1]
            case _:
                return 404, {"message": "Not Found"}

    def _upload(
        self, path: str, query: str, data: bytes, base: str, start_response: StartResponse
    ) -> Iterable[bytes]:
        name = query.removeprefix("name=")
        self.files[name] = data
        asset = {"name": name, "url": f"{base}/assets/{name}"}
        self.releases[int(path.removeprefix("upload/")) - 1]["assets"].append(asset)
        return _answer(start_response, 201, asset)


class FakeGithubSettings:
    """The part of GitHub's REST API with which a repository is set up; its fields are the settings.

    Attributes:
        requests: Every request that changes something, as method and path.
    """

    def __init__(self) -> None:
        self.environments: dict[str, dict[str, Any]] = {}
        self.refs: dict[str, dict[int, Any]] = {}
        self.variables: dict[str, dict[str, str]] = {}
        self.rulesets: dict[int, dict[str, Any]] = {}
        self.requests: list[tuple[str, str]] = []

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        size = int(environ.get("CONTENT_LENGTH") or 0)
        content = json.loads(environ["wsgi.input"].read(size) or "{}")
        if environ.get("HTTP_AUTHORIZATION") != "Bearer token":
            return _answer(start_response, 401, {"message": "Bad credentials"})
        if method != "GET":
            self.requests.append((method, path))
        parts = path.removeprefix("/repos/acme/fin-advisor/").strip("/").split("/")
        status, answer = self._api(method, parts, content)
        return _answer(start_response, status, answer)

    def _api(  # noqa: PLR0911, PLR0912 - one branch a route
        self, method: str, path: list[str], content: dict[str, Any]
    ) -> tuple[int, Any]:
        match method, path:
            case "GET", ["orgs", "acme", "teams", "deployers"]:
                return 200, {"id": 7}
            case "GET", ["users", "ann"]:
                return 200, {"id": 8}
            case "PUT", ["environments", name]:
                self.environments[name] = self._environment(content)
                return 200, {}
            case "GET", ["environments", name] if name in self.environments:
                return 200, self.environments[name]
            case "GET", ["environments", name, "deployment-branch-policies"]:
                listed = [{"id": key, **ref} for key, ref in self.refs.get(name, {}).items()]
                return 200, {"branch_policies": listed}
            case "POST", ["environments", name, "deployment-branch-policies"]:
                refs = self.refs.setdefault(name, {})
                refs[max(refs, default=0) + 1] = content
                return 200, {}
            case "DELETE", ["environments", name, "deployment-branch-policies", key]:
                del self.refs[name][int(key)]
                return 204, {}
            case _, ["environments", name, "variables", *rest]:
                return self._variable(method, name, rest, content)
            case _, ["actions", "variables", *rest]:
                return self._variable(method, "", rest, content)
            case "GET", ["rulesets"]:
                return 200, [{"id": key, "name": one["name"]} for key, one in self.rulesets.items()]
            case "POST", ["rulesets"]:
                self.rulesets[len(self.rulesets) + 1] = content
                return 201, {}
            case "GET", ["rulesets", key]:
                return 200, {
                    "id": int(key),
                    "source": "acme/fin-advisor",
                    **self.rulesets[int(key)],
                }
            case "PUT", ["rulesets", key]:
                self.rulesets[int(key)] = content
                return 200, {}
            case _:
                return 404, {"message": "Not Found"}

    def _environment(self, content: Mapping[str, Any]) -> dict[str, Any]:
        rules: list[dict[str, Any]] = [{"type": "branch_policy"}]
        if content["reviewers"]:
            reviewers = [
                {"type": one["type"], "reviewer": {"id": one["id"], "login": "x"}}
                for one in content["reviewers"]
            ]
            review = {"prevent_self_review": content["prevent_self_review"], "reviewers": reviewers}
            rules.append({"type": "required_reviewers", **review})
        restricts = content["deployment_branch_policy"]
        return {"protection_rules": rules, "deployment_branch_policy": restricts}

    def _variable(
        self, method: str, environment: str, path: list[str], content: Mapping[str, str]
    ) -> tuple[int, Any]:
        variables = self.variables.setdefault(environment, {})
        if method == "GET":
            listed = [{"name": name, "value": value} for name, value in variables.items()]
            return 200, {"variables": listed}
        if (method == "PATCH") != (content["name"] in variables) or path not in (
            [],
            [content["name"]],
        ):
            return 409, {"message": "Already exists, or does not"}
        variables[content["name"]] = content["value"]
        return (204, {}) if method == "PATCH" else (201, {})
