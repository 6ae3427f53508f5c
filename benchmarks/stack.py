"""A stack of one of the programs, in a backend of its own."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from benchmarks.measuring import Cost, run

ROOT = Path(__file__).parent.parent
_PROGRAM = """
import json
from pathlib import Path
from types import MappingProxyType
from benchmarks import programs

declared = json.loads(Path("declared.json").read_text())
getattr(programs, declared["program"])(*declared["arguments"])
"""
_QUIET = ("--yes", "--skip-preview", "--suppress-outputs", "--suppress-progress")


@dataclass
class Stack:
    """A folder with program and state; `environment` is added to each command's."""

    folder: Path
    bin_dir: Path
    program: str
    config: Mapping[str, str]
    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.folder / "state").mkdir(parents=True)
        runtime = {"name": "python", "options": {"toolchain": "pip", "virtualenv": str(Path(sys.prefix))}}
        (self.folder / "Pulumi.yaml").write_text(json.dumps({"name": "airbyte-as-code", "runtime": runtime}))
        (self.folder / "__main__.py").write_text(_PROGRAM)
        self.pulumi("stack", "init", "bench")
        with (self.folder / "Pulumi.bench.yaml").open("a") as settings:
            settings.write("config: " + json.dumps({f"airbyte-as-code:{k}": v for k, v in self.config.items()}))

    def declare(self, *arguments: object) -> None:
        """The arguments that the program is called with from now on."""
        declared = {"program": self.program, "arguments": arguments}
        (self.folder / "declared.json").write_text(json.dumps(declared))

    def up(self, environment: Mapping[str, str] = MappingProxyType({})) -> Cost:
        """Deploy, without a preview first; with more of an environment for this once."""
        return self.pulumi("up", *_QUIET, "--stack=bench", environment=environment)

    def preview(self) -> Cost:
        """Preview, of which nothing must come."""
        return self.pulumi("preview", "--expect-no-changes", "--suppress-outputs", "--stack=bench")

    def refresh(self) -> Cost:
        """Refresh, of which nothing must come."""
        return self.pulumi("refresh", "--expect-no-changes", *_QUIET, "--stack=bench")

    def state(self) -> bytes:
        """The state as it is stored."""
        return (self.folder / "state/.pulumi/stacks/airbyte-as-code/bench.json").read_bytes()

    def pulumi(self, *arguments: str, environment: Mapping[str, str] = MappingProxyType({})) -> Cost:
        """Run a command."""
        environment = {
            **os.environ,
            "PATH": f"{self.bin_dir}{os.pathsep}{os.environ['PATH']}",
            "PULUMI_HOME": str(self.folder.parent / "home"),
            "PULUMI_BACKEND_URL": f"{(self.folder / 'state').as_uri()}?metadata=skip",
            "PULUMI_CONFIG_PASSPHRASE": "benchmarks",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            # The installed SDKs name plugins that these programs do not use; asking for them takes seconds.
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PYTHONPATH": str(ROOT),
            **self.environment,
            **environment,
        }
        pulumi = str(self.bin_dir / "pulumi")
        return run([pulumi, *arguments, "--non-interactive", "--color=never"], self.folder, environment)
