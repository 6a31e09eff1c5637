"""Actions that run right after the first import of a module, or at once if it is imported."""

import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

Action = Callable[[ModuleType], None]


def when_imported(name: str, action: Action) -> None:
    """Call `action` with the module of that name as soon as it has been imported."""
    module = sys.modules.get(name)
    if module is not None:
        action(module)
    elif not any(isinstance(one, _Finder) and one.name == name for one in sys.meta_path):
        sys.meta_path.insert(0, _Finder(name, action))


class _Finder(MetaPathFinder):
    """Finds one module through the other finders and adds an action to its loader; works once."""

    def __init__(self, name: str, action: Action) -> None:
        self.name = name
        self._action = action

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self.name or self not in sys.meta_path:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        if spec is not None and spec.loader is not None:
            self._act_after(spec.loader)
        return spec

    def _act_after(self, loader: Loader) -> None:
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            if module.__name__ == self.name:  # a zip file's modules share a loader
                self._action(module)

        loader.exec_module = exec_module  # type: ignore[method-assign]
