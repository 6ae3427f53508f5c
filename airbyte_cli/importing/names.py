"""Names for what has none yet: files, variables, and the second of two objects of one name."""

import re
import unicodedata

_LONGEST = 80


def slug(text: str) -> str:
    """A text as a file's name: ``Ürders (EU) → lake`` becomes ``urders-eu-lake``; may be empty."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:_LONGEST].strip("-")


def variable(*parts: str) -> str:
    """Texts as the name of an environment variable: ``SOURCE_ORDERS_PASSWORD``."""
    return "_".join(filter(None, (slug(part).replace("-", "_").upper() for part in parts)))


class Names:
    """Gives each name once; who comes later gets a number, so the same order gives the same names."""

    def __init__(self, separator: str = "-") -> None:
        self._separator = separator
        self._taken: set[str] = set()

    def take(self, wanted: str) -> str:
        """The wanted name, or with 2, 3, … behind it."""
        name, number = wanted, 2
        while name.casefold() in self._taken:
            name, number = f"{wanted}{self._separator}{number}", number + 1
        self._taken.add(name.casefold())
        return name
