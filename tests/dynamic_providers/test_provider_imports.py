"""The engine's host process loads whichever provider comes first, without a program that has loaded the others."""

import subprocess
import sys

import pytest

PROVIDERS = [
    "dynamic_providers.airbyte.provider",
    "dynamic_providers.kubernetes.provider",
    "dynamic_providers.generated_secret",
    "dynamic_providers.shell",
]


@pytest.mark.parametrize("module", PROVIDERS)
def test_a_provider_can_be_loaded_first(module: str) -> None:
    done = subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
