"""Modules that load when they are first used."""

import importlib.util
import sys
from types import ModuleType


def lazy_import(name: str) -> ModuleType:
    """The module, loaded on its first attribute access; raises ModuleNotFoundError where it is not installed.

    Provider SDKs are large (pulumi_snowflake takes seconds to load), and a plan with a mistake in it should
    not make anyone wait for them.
    """
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
