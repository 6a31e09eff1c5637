"""The documentation site: `./pants run docs:serve`.

Without options it serves the site on loopback, and builds it again whenever a page changes.
"""

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import sphinx_autobuild.__main__ as autobuild  # type: ignore[import-untyped]
from sphinx.cmd import build

_LOADED = re.compile(
    r"<(?:script|img|iframe|link)\b[^>]*?\b(?:src|href)=\"((?:https?:)?//[^\"]+)\""
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve, build or check the site; return 0, or 1 if a page is wrong."""
    options = _options(arguments)
    pages = Path.cwd() / "docs"
    if not (pages / "conf.py").is_file():
        print("run this in the root of the repository", file=sys.stderr)
        return 2
    strict = ["--quiet", "--fail-on-warning", "--keep-going"]
    if options.check_links:
        return build.build_main([*strict, "-b", "linkcheck", str(pages), str(options.output)])
    if options.build:
        failed = build.build_main([*strict, "-b", "html", str(pages), str(options.output)])
        foreign = [*loaded_from_other_hosts(options.output)]
        for problem in foreign:
            print(problem, file=sys.stderr)
        return 1 if failed or foreign else 0
    autobuild.main(
        ["--host", "127.0.0.1", "--port", str(options.port), str(pages), str(options.output)]
    )
    return 0


def loaded_from_other_hosts(site: Path) -> Iterator[str]:
    """Yield one line for each picture, script or style that a page loads from another host."""
    for page in sorted(site.rglob("*.html")):
        for address in _LOADED.findall(page.read_text()):
            yield f"{page.relative_to(site)} loads {address}; put a copy into docs/"


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./pants run docs:serve --", description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free port (default 8000)")
    parser.add_argument(
        "--output", type=Path, default=Path("dist/docs"), help="folder of the built site"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--build", action="store_true", help="build it and exit; warnings are errors")
    what.add_argument(
        "--check-links", action="store_true", help="ask every linked host; needs a network"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
