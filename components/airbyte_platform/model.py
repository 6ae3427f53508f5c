"""What all settings of the platform have in common: their spelling in YAML and the kinds of value they hold."""

from dataclasses import dataclass
from ipaddress import ip_network
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StringConstraints
from pydantic.alias_generators import to_camel

from components.airbyte_platform.quantity import canonical

Environment = Literal["sandbox", "dev", "production"]
Manifest = dict[str, Any]
"""A Kubernetes object in the API's own form."""


class Group(BaseModel):
    """camelCase in YAML, snake_case in Python; unknown keys are errors, and errors quote no value."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid", hide_input_in_errors=True
    )


def _cidr(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError:
        raise ValueError(f"`{text}` is not an address range, such as 10.20.0.0/16.") from None


Quantity = Annotated[str, AfterValidator(canonical)]
"""An amount in Kubernetes' notation: ``250m`` of a CPU, ``2Gi`` of memory."""

Cidr = Annotated[str, AfterValidator(_cidr)]
"""An address range; a single address is a range of one."""

Port = Annotated[int, Field(ge=1, le=65535)]

ObjectName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
"""A name that Kubernetes takes for a namespace or an object (RFC 1123 label)."""

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=8)]
"""Why a rule is waived: a sentence someone will read a year from now."""


@dataclass(frozen=True)
class Generated:
    """A credential that nobody gave and the stack makes, once, and keeps in its state."""

    name: str
    generation: int = 1
    """The next one is another credential."""


Credential = SecretStr | Generated


@dataclass(frozen=True)
class Fingerprint:
    """Stands in the chart's values for a keyed hash of all credentials: no secret, and another one after a rotation."""

    key: Generated


Placeholder = Credential | Fingerprint
"""What stands in the chart's values until they are handed to the engine, which keeps secrets."""
