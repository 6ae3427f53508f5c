"""The demo tells its story to the end, from nothing and on what an earlier one left."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.environment import ROOT_VARIABLE, Sandbox


@pytest.mark.slow
def test_the_story_is_told_to_its_end_and_can_be_told_again(tmp_path: Path, project_root: Path) -> None:
    root = tmp_path / "sandbox"
    try:
        first, second = (tell(root, project_root) for _ in range(2))
    finally:
        Sandbox(root).down(print, purge=True)

    for text in (first, second):
        assert re.findall(r"^(\d)\. ", text, re.MULTILINE) == list("123456789")
        assert "drift found: exit code 7" in text
        assert "Traceback" not in text
    assert re.search(r"Resources:\n +\+ \d+ created", first)
    assert "records moved: orders: 500, users: 100" in first
    assert re.search(r"records moved: orders: \d, users: \d\n", first)
    assert "created" not in second.partition("\n4. ")[0].partition("\n3. ")[2]


def tell(root: Path, project_root: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "demo"],
        cwd=project_root,
        env={**os.environ, ROOT_VARIABLE: str(root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
