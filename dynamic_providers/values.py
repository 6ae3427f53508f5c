"""Property values as the engine hands them over: plain JSON, numbers as floats, and some not known yet."""

from typing import Any, Final

Properties = dict[str, Any]
"""A resource's inputs or outputs."""


class _Unknown:
    """A value that exists only after something else was created; seen in previews."""

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        raise TypeError("an unknown value is neither true nor false: test it with is_unknown")


UNKNOWN: Final = _Unknown()


def is_unknown(value: Any) -> bool:
    """Whether the value itself is not known yet."""
    return value is UNKNOWN


def contains_unknown(value: Any) -> bool:
    """Whether the value or anything inside it is not known yet."""
    # Asked of every value of every resource, so without the detours that generators and abstract types take.
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return any(map(contains_unknown, value))
    return value is UNKNOWN


def known(value: Any, fallback: Any = None) -> Any:
    """The value, or the fallback where it is absent or not known yet."""
    return fallback if value is None or is_unknown(value) else value


def plain(value: Any) -> Any:
    """The value with whole floats as integers and without absent (null) properties.

    The wire format of the engine has one kind of number, a double; a port of 5432.0 is not what a spec asks for.
    """
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value
