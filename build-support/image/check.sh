#!/usr/bin/env bash
# Builds the runner's image with Pants and runs it. Checks that it answers, that its health check
# passes, that its user cannot write to /app, and that SIGTERM stops it cleanly. Uses buildah and a
# stand-in for the base image, so it needs root and Debian's `buildah`, but no container engine and no
# image registry.
#
#   check.sh PYTHON    the machine's Python 3.13
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."
python=$1
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
base=localhost/fin-advisor/standin-base:latest # as engine/docker names it
image=localhost/fin-advisor/runner:latest
log=$(mktemp)
engine=$(mktemp -d) # a copy, because Pants ignores folders whose path contains a space
container=''
server=''

cleanup() {
  [[ -z $server ]] || kill "$server" 2>/dev/null || true
  [[ -z $container ]] || buildah rm "$container" >/dev/null 2>&1 || true
  buildah rmi --force "$image" "$base" >/dev/null 2>&1 || true
  rm -rf "$log" "$engine"
}
trap cleanup EXIT

fail() {
  cat "$log"
  printf 'runner image: %s\n' "$1" >&2
  exit 1
}

build-support/image/standin_base.sh "$base" "$python"
cp build-support/image/engine/docker "$engine/"
./pants --tag=[] \
  --docker-executable-search-paths="['$engine']" \
  --docker-default-repository='localhost/fin-advisor/runner' \
  package backend/runner:image

container=$(buildah from "$image")
user=$(buildah inspect --type image --format '{{.OCIv1.Config.User}}' "$image")
[[ $user == 65532:65532 ]] || fail "its user is $user"
# Below the system's ephemeral ports: a client could be given one of those before the container binds it.
port=$("$python" - <<'PYTHON'
import random, socket
for port in random.sample(range(20000, 32768), 50):
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        continue
    print(port)
    break
PYTHON
)
settings=()
for setting in "PORT=$port" PROJECT_NAME=fin-advisor ENVIRONMENT=dev SERVICE_NAME=runner LOG_LEVEL=INFO \
  ENABLE_TRACING=false API_GATEWAY_URL=http://127.0.0.1:1/dev JOBS_BUCKET_NAME=fin-advisor-jobs \
  AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1; do
  settings+=(--env "$setting")
done
in_container() { buildah run "${settings[@]}" "$container" -- "$@"; }

if in_container python -c 'open("/app/written", "w")' 2>/dev/null; then fail 'its user can write to /app'; fi
in_container opentelemetry-instrument --version >/dev/null || fail 'opentelemetry-instrument is missing'

in_container python -m runner.server >"$log" 2>&1 &
server=$!
answer=''
for _ in $(seq 150); do
  answer=$(curl --silent --max-time 2 "http://127.0.0.1:$port/health") && break
  kill -0 "$server" 2>/dev/null || fail 'it stopped before it answered'
  sleep 0.1
done
[[ $answer == *healthy* ]] || fail "GET /health answered: $answer"
printf 'GET /health: %s\n' "$answer"

mapfile -t health_check < <(buildah inspect --type image "$image" |
  "$python" -c 'import json, sys; print(*json.load(sys.stdin)["Docker"]["config"]["Healthcheck"]["Test"][1:], sep="\n")')
in_container "${health_check[@]}" || fail "its health check fails: ${health_check[*]}"

# buildah does not forward signals, so send the signal to the process itself, as an engine does.
inner=$("$python" - "$server" <<'PROGRAM'
import sys
from pathlib import Path

parents = {}
for stat in Path("/proc").glob("[0-9]*/stat"):
    try:
        pid, rest = stat.parent.name, stat.read_text().rpartition(")")[2].split()
    except OSError:
        continue
    parents.setdefault(rest[1], []).append(pid)
pid = sys.argv[1]
while pid in parents:
    pid = parents[pid][0]
print(pid)
PROGRAM
)
kill -TERM "$inner"
code=0
wait "$server" || code=$?
server=''
[[ $code == 0 ]] || fail "after SIGTERM its exit code is $code"
echo 'the image answers, is healthy, cannot write to /app, and stops cleanly on SIGTERM'
