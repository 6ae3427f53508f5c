"""Kubernetes' notation of amounts: ``250m`` of a CPU, ``512Mi`` of memory.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

import re
from collections.abc import Iterable
from decimal import Decimal

_FORM = re.compile(r"([0-9]+(?:\.[0-9]+)?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?")
_FACTORS = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    "k": Decimal(1000),
    "M": Decimal(1000) ** 2,
    "G": Decimal(1000) ** 3,
    "T": Decimal(1000) ** 4,
    "Ki": Decimal(1024),
    "Mi": Decimal(1024) ** 2,
    "Gi": Decimal(1024) ** 3,
    "Ti": Decimal(1024) ** 4,
}


def parse(text: str) -> Decimal:
    """The amount in units: CPUs, bytes, pieces. Raises ValueError for what is no amount."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError(f"`{text}` is not an amount, such as 250m, 2 or 512Mi.")
    return Decimal(match[1]) * _FACTORS[match[2] or ""]


def canonical(text: str) -> str:
    """As the API server writes it back, which would show as a difference otherwise: ``0.5`` -> ``500m``."""
    amount = parse(text)
    return memory(amount) if text.endswith("i") else _whole(amount, ("G", "M", "k", ""), "m")


def cpu(amount: Decimal) -> str:
    """An amount of CPU, rounded up to thousandths."""
    return _whole(amount, ("",), "m")


def memory(amount: Decimal) -> str:
    """An amount of memory, rounded up to Mi."""
    return _whole(amount, ("Ti", "Gi"), "Mi")


def _whole(amount: Decimal, units: Iterable[str], smallest: str) -> str:
    """In the largest unit in which it is whole."""
    unit = next((unit for unit in units if amount and amount % _FACTORS[unit] == 0), smallest)
    return f"{int((amount / _FACTORS[unit]).to_integral_value('ROUND_CEILING'))}{unit}"
