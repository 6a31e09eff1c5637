"""Saves the runner's image after the build, and pushes the saved image to a registry."""

import argparse
import base64
import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from deploy.aws import client
from deploy.image_contents import write_bill
from deploy.manifest import IMAGE, NAME, Manifest, image_config
from deploy.program import REPOSITORY, Refused, parser, run, set_outputs

# The name that `./pants --tag=[] package backend/runner:image` gives the image.
_BUILT: Final = "fin-advisor/runner:latest"


def tag_of(release: str) -> str:
    """Return the tag of a release's image: v1.2.3, or commit-SHA for a commit of main.

    The rules in bootstrap/ecr-lifecycle.json count images by the beginning of their tags.
    """
    return release if release.startswith("v") else f"commit-{release}"


def save(archive: Path, image: str) -> None:
    """Write a built image to an archive."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    _docker("image", "save", "--output", str(archive), image)


def push(archive: Path, manifest: Manifest, repository: str) -> str:
    """Push a release's image, and return its name by digest: REPOSITORY@sha256:DIGEST.

    An image that is in the registry already is not pushed again, since its tag is immutable.

    Raises:
        Refused: The image in the archive, or in the registry, is not that of the release.
    """
    if manifest.image_config is None:
        raise Refused(f"release {manifest.release} was built without an image")
    if image_config(archive) != manifest.image_config:
        raise Refused(f"{archive} is not the image of release {manifest.release}")
    registry, _, name = repository.partition("/")
    tag = tag_of(manifest.release)
    found = _in_registry(name, tag)
    if found is None:
        _log_in(registry)
        loaded = _docker("image", "load", "--input", str(archive))
        match = re.search(r"^Loaded image(?: ID)?: (\S+)$", loaded, re.MULTILINE)
        if match is None:
            raise Refused(f"cannot find the image's name in the output of docker load: {loaded!r}")
        reference = f"{repository}:{tag}"
        _docker("image", "tag", match[1], reference)
        _docker("image", "push", "--quiet", reference)
        found = _in_registry(name, tag)
    if found is None:
        raise Refused(f"{name} has no image {tag} after the push")
    digest, config = found
    if config != manifest.image_config:
        raise Refused(
            f"{name}:{tag} in the registry has the configuration {config}, "
            f"but the release has {manifest.image_config}"
        )
    return f"{repository}@{digest}"


def _in_registry(name: str, tag: str) -> tuple[str, str] | None:
    """Return the digests of an image and of its configuration, or None if the tag is unused."""
    answer: Any = client("ecr").batch_get_image(
        repositoryName=name,
        imageIds=[{"imageTag": tag}],
        acceptedMediaTypes=[
            "application/vnd.docker.distribution.manifest.v2+json",
            "application/vnd.oci.image.manifest.v1+json",
        ],
    )
    if not answer["images"]:
        return None
    image = answer["images"][0]
    content = json.loads(image["imageManifest"])
    return str(image["imageId"]["imageDigest"]), str(content["config"]["digest"])


def _log_in(registry: str) -> None:
    answer = client("ecr").get_authorization_token()
    token = answer["authorizationData"][0]["authorizationToken"]
    user, _, password = base64.b64decode(token).decode().partition(":")
    _docker("login", "--username", user, "--password-stdin", registry, text=password)


def _docker(*arguments: str, text: str | None = None) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - the program is fixed
            ["docker", *arguments],  # noqa: S607 - whichever engine the machine has
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise Refused("docker is not on PATH") from None
    if done.returncode != 0:
        raise Refused(f"docker {' '.join(arguments[:2])} failed: {done.stderr.strip()}")
    return done.stdout


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    cli = parser(__doc__, environment=False)
    cli.add_argument("action", choices=("save", "push"))
    cli.add_argument("--folder", type=Path, default=REPOSITORY / "dist")
    cli.add_argument("--image", default=_BUILT, help="the built image; for save")
    cli.add_argument("--repository", help="from bootstrap's output ecr_repository_urls; for push")
    return cli.parse_args(arguments)


def main(arguments: Sequence[str]) -> None:
    """Save the image beside the packages, or push it and output its name by digest."""
    args = _arguments(arguments)
    archive = args.folder / IMAGE
    if args.action == "push" and not args.repository:
        raise Refused(
            "--repository is empty: set it to the value of bootstrap's output ecr_repository_urls"
        )
    if args.dry_run:
        print(f"would {args.action} {archive}")
        return
    if args.action == "save":
        save(archive, args.image)
        print(f"saved {args.image} to {archive}, and what it contains to {write_bill(archive)}")
        return
    manifest = Manifest.read(args.folder / NAME)
    set_outputs({"image": push(archive, manifest, args.repository)})


if __name__ == "__main__":
    run(main)
