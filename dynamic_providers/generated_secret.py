"""A random secret, made once and kept secret in the stack's state: for credentials that nobody has to choose."""

import secrets
from dataclasses import dataclass

import pulumi
from pulumi import dynamic

from dynamic_providers.crud import Checked, Difference, Live, Resource
from dynamic_providers.shell import Provider
from dynamic_providers.values import Properties

_BYTES = 32


@dataclass(frozen=True)
class GeneratedSecretResource:
    """Lives in state only, in the output `name`. Nothing is sent anywhere.

    Inputs: ``generation``, whose change makes another one; absent where there is only ever one.
    """

    name: str

    def check(self, olds: Properties, news: Properties) -> Checked:  # noqa: ARG002
        """Anything goes."""
        return Checked(news)

    def diff(self, id_: str, olds: Properties, news: Properties) -> Difference:  # noqa: ARG002
        """A new generation is a new secret."""
        changed = ("generation",) if olds.get("generation") != news.get("generation") else ()
        return Difference(changed, replaces=changed)

    def create(self, news: Properties) -> tuple[str, Properties]:
        """32 random bytes, in hex."""
        return secrets.token_hex(8), {**news, self.name: secrets.token_hex(_BYTES)}

    def read(self, id_: str, olds: Properties) -> Live | None:  # noqa: ARG002
        """What state says."""
        return Live({key: value for key, value in olds.items() if key != self.name}, olds)

    def update(self, id_: str, olds: Properties, news: Properties) -> Properties:  # noqa: ARG002
        """Keeps the secret."""
        return {**news, self.name: olds[self.name]}

    def delete(self, id_: str, olds: Properties) -> None:
        """Nothing to delete."""


class GeneratedSecretProvider(Provider):
    """Serves GeneratedSecret."""

    def resource(self) -> Resource:
        """Needs no server."""
        return GeneratedSecretResource("value")


class GeneratedSecret(dynamic.Resource, module="generated", name="GeneratedSecret"):
    """64 hex digits; another `generation` makes others."""

    value: pulumi.Output[str]

    def __init__(self, name: str, *, generation: int, opts: pulumi.ResourceOptions | None = None) -> None:
        secret = pulumi.ResourceOptions(additional_secret_outputs=["value"])
        props = {"generation": generation, "value": None}
        super().__init__(GeneratedSecretProvider(), name, props, pulumi.ResourceOptions.merge(opts, secret))
