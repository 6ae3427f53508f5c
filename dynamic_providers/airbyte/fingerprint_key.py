"""The key of the fingerprints that previews show instead of secrets: made once, kept secret in state."""

import secrets
from dataclasses import dataclass

from dynamic_providers.crud import Checked, Difference, Live
from dynamic_providers.values import Properties

_BYTES = 32


@dataclass(frozen=True)
class FingerprintKeyResource:
    """Lives in state only. Nothing is sent anywhere."""

    def check(self, olds: Properties, news: Properties) -> Checked:  # noqa: ARG002
        """There are no inputs."""
        return Checked(news)

    def diff(self, id_: str, olds: Properties, news: Properties) -> Difference:  # noqa: ARG002
        """Never changes."""
        return Difference()

    def create(self, news: Properties) -> tuple[str, Properties]:
        """32 random bytes, in hex."""
        return secrets.token_hex(8), {**news, "key": secrets.token_hex(_BYTES)}

    def read(self, id_: str, olds: Properties) -> Live | None:  # noqa: ARG002
        """What state says."""
        return Live({}, olds)

    def update(self, id_: str, olds: Properties, news: Properties) -> Properties:  # noqa: ARG002
        """Keeps the key."""
        return {**news, "key": olds["key"]}

    def delete(self, id_: str, olds: Properties) -> None:
        """Nothing to delete."""
