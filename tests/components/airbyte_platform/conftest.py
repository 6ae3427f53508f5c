"""Settings of a platform as a stack gives them, and what they make."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from components.airbyte_platform.loading import load_platform
from components.airbyte_platform.settings import PlatformSettings

ENVIRON = {"AIRBYTE_DATABASE_USER": "airbyte", "AIRBYTE_DATABASE_PASSWORD": "hunter2-database"}

Written = dict[str, Any]
Load = Callable[..., PlatformSettings]


@pytest.fixture
def production(project_root: Path) -> Written:
    """The platform of the example production stack, as written."""
    stack = YAML(typ="safe").load((project_root / "Pulumi.prod.yaml").read_text())
    written: Written = stack["config"]["airbyte-as-code:platform"]
    return written


@pytest.fixture
def bundled() -> Written:
    """The smallest platform of a development stack."""
    return {"chart": {"version": "2.2.0"}, "database": {"type": "bundled"}, "storage": {"type": "bundled"}}


@pytest.fixture
def load() -> Load:
    """Read settings as the program does."""

    def read(written: Written) -> PlatformSettings:
        return load_platform(json.dumps(written), "Pulumi.test.yaml", ENVIRON)

    return read
