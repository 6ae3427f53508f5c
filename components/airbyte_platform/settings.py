"""The platform's settings: the object `platform` of `Pulumi.<stack>.yaml`, checked and typed.

Pulumi hands a structured setting to the program as JSON text with its `secure:` values decrypted, and tells only that
some of it is secret. So which values are secret is a matter of the fields here, and no message quotes a value.
"""

import hashlib
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr, field_validator, model_validator

from components.airbyte_platform.database import BundledDatabase, ExternalDatabase
from components.airbyte_platform.model import Credential, Generated, Group, ObjectName, Reason
from components.airbyte_platform.network_settings import NetworkSettings
from components.airbyte_platform.resources import Amounts, ComponentResources, JobResources
from components.airbyte_platform.secrets_manager import (
    AwsSecretsManager,
    AzureKeyVault,
    GoogleSecretsManager,
    VaultSecretsManager,
)
from components.airbyte_platform.storage import (
    AzureStorage,
    BundledStorage,
    GcsStorage,
    MinioStorage,
    S3Storage,
)

OFFICIAL_REPOSITORY = "https://airbytehq.github.io/charts"


class ChartSettings(Group):
    """Which chart is installed, and from where: a repository (the default), an OCI registry or a path."""

    version: Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")]
    name: str = "airbyte"
    repository: str = ""
    oci: str = ""
    path: str = ""
    """An archive (`helm pull`) or a folder."""
    sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    """Of the archive at `path`; a plan whose archive has another is refused."""

    @field_validator("oci")
    @classmethod
    def _is_oci(cls, reference: str) -> str:
        if reference and not reference.startswith("oci://"):
            raise ValueError(
                f"`{reference}` is not a registry's reference, such as oci://registry.example.com/airbyte."
            )
        return reference

    @model_validator(mode="after")
    def _comes_from_one_place(self) -> "ChartSettings":
        if sum(map(bool, (self.repository, self.oci, self.path))) > 1:
            raise ValueError("comes from one place only: `repository`, `oci` or `path`.")
        if self.sha256:
            self._check_digest()
        return self

    def _check_digest(self) -> None:
        file = Path(self.path)
        if not self.path or file.is_dir():
            raise ValueError(
                f"has a `sha256`, which can be checked on an archive only. Run `helm pull {self.name} --repo "
                f"{self.repository or OFFICIAL_REPOSITORY} --version {self.version}` and set `path` to the file."
            )
        try:
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
        except OSError as error:
            raise ValueError(f"`{self.path}` can't be read ({error.strerror}).") from None
        if digest != self.sha256:
            raise ValueError(f"`{self.path}` has the SHA-256 {digest} and not the pinned one. Do not install it.")


class IngressSettings(Group):
    """How people and this project reach the server. Its host is that of airbyteUrl."""

    class_name: str = "nginx"
    issuer: str = ""
    """A cert-manager ClusterIssuer, which makes the certificate."""
    tls_secret: ObjectName = "airbyte-tls"  # noqa: S105 - an object's name
    """Where the certificate is, or where cert-manager puts it."""
    annotations: dict[str, str] = Field(default={})
    timeout_seconds: int = Field(default=600, ge=60)
    """A connection check runs as a job behind one request; a shorter time-out ends in 504 while it goes on."""


class AuthSettings(Group):
    """Credentials of the instance. The client id and secret are airbyteClientId and airbyteClientSecret."""

    admin_password: SecretStr | None = None
    """Made by the stack where it is not given."""
    jwt_signature_secret: SecretStr | None = None
    """Made by the stack where it is not given."""
    generation: int = Field(default=1, ge=1)
    """Of the two, where the stack made them: the next number makes new ones."""

    def credentials(self) -> dict[str, Credential]:
        """What the Secret holds beside the client's."""
        return {
            "instance-admin-password": self.admin_password or Generated("admin-password", self.generation),
            "jwt-signature-secret": self.jwt_signature_secret or Generated("jwt-signature", self.generation),
        }


class ImageSettings(Group):
    """Where images come from."""

    registry: str = ""
    """A mirror of the platform's and the connectors' images."""
    pull_secret: ObjectName | None = None
    docker_config: SecretStr | None = None
    """A `.dockerconfigjson`, from which the pull secret is made; without it the Secret is somebody else's."""

    @model_validator(mode="after")
    def _a_config_has_a_name(self) -> "ImageSettings":
        if self.docker_config and not self.pull_secret:
            raise ValueError("has a `dockerConfig` and no `pullSecret` to put it into.")
        return self


class IdentitySettings(Group):
    """Annotations that give the pods' ServiceAccounts an identity of the cloud (IRSA, GKE Workload Identity)."""

    annotations: dict[str, str] = Field(default={})
    """Of the components'."""
    job_annotations: dict[str, str] = Field(default={})
    """Of the job pods', which need the buckets and reading the secrets manager only."""


class Toleration(Group):
    """A taint that pods put up with. All values are text, as the chart hands them on."""

    key: str
    operator: str = "Equal"
    value: str = ""
    effect: str = ""


class Nodes(Group):
    """Which nodes pods run on."""

    selector: dict[str, str] = Field(default={})
    tolerations: list[Toleration] = Field(default=[])


class NodeSettings(Group):
    """Nodes of the components, and the pool of the job pods."""

    platform: Nodes = Nodes()
    jobs: Nodes = Nodes()


class ScalingSettings(Group):
    """How much runs at once. What is not given follows from `concurrentSyncs`."""

    concurrent_syncs: int = Field(default=10, ge=1)
    server_replicas: int | None = Field(default=None, ge=1)
    workload_api_replicas: int | None = Field(default=None, ge=1)
    worker_replicas: int | None = Field(default=None, ge=1)
    launcher_replicas: int | None = Field(default=None, ge=1)
    max_sync_workers: int | None = Field(default=None, ge=1)
    max_check_workers: int | None = Field(default=None, ge=1)
    launcher_parallelism: int | None = Field(default=None, ge=1)


class QuotaSettings(Group):
    """The most that the namespace and one of its containers may use. What is not given is computed."""

    requests: Amounts | None = None
    limits: Amounts | None = None
    pods: int | None = Field(default=None, ge=10)
    container_max: Amounts = Amounts(cpu="4", memory="8Gi")
    """Must hold what the registry's own defaults give the largest connector."""


class JobTtls(Group):
    """Minutes after which job pods are swept away."""

    running: int = Field(default=2880, ge=1)
    """The chart's default lets a pod that hangs run for ever."""
    succeeded: int = Field(default=10, ge=1)
    unsuccessful: int = Field(default=120, ge=1)


class ResourceSettings(Group):
    """Requests and limits."""

    components: ComponentResources = ComponentResources()
    jobs: JobResources = JobResources()


Database = Annotated[ExternalDatabase | BundledDatabase, Field(discriminator="type")]
Storage = Annotated[S3Storage | GcsStorage | AzureStorage | MinioStorage | BundledStorage, Field(discriminator="type")]
SecretsManager = Annotated[
    VaultSecretsManager | AwsSecretsManager | GoogleSecretsManager | AzureKeyVault, Field(discriminator="type")
]


class PlatformSettings(Group):
    """Everything about the Airbyte that the stack installs."""

    namespace: ObjectName = "airbyte"
    release: ObjectName = "airbyte"
    context: str = ""
    """Of the kubeconfig; empty for its current one."""
    cluster_uid: str = ""
    """Of the cluster's namespace kube-system; empty for that of the cluster which the first `up` finds."""
    chart: ChartSettings
    ingress: IngressSettings | None = None
    auth: AuthSettings = AuthSettings()
    database: Database
    storage: Storage
    secrets_manager: SecretsManager | None = None
    allow_secrets_in_database: Reason | None = None
    """Reason for doing without a secrets manager in production."""
    image: ImageSettings = ImageSettings()
    identity: IdentitySettings = IdentitySettings()
    resources: ResourceSettings = ResourceSettings()
    nodes: NodeSettings = NodeSettings()
    scaling: ScalingSettings = ScalingSettings()
    quota: QuotaSettings = QuotaSettings()
    network: NetworkSettings = NetworkSettings()
    job_ttl_minutes: JobTtls = JobTtls()
    pod_security_version: Annotated[str, Field(pattern=r"^v1\.[0-9]+$")] = "v1.33"
    """Of the standard `restricted`: a cluster's upgrade must not change the rules on its own."""
    local_connector_registry: bool = False
    """Use the registry that the images bring, and never ask the one on the Internet."""
    keep_data_on_destroy: bool = True
    install_timeout_seconds: int = Field(default=900, ge=60)
    """For Helm: until all pods are ready."""
    ready_timeout_seconds: int = Field(default=300, ge=10)
    """After that, until the API answers and knows the credentials."""
    extra_values: dict[str, Any] = Field(default={})
    """More values for the chart; may not touch what is set here."""

    @property
    def bundled(self) -> list[str]:
        """Which of the chart's own servers are used."""
        return [
            key for key in ("database", "storage") if isinstance(getattr(self, key), BundledDatabase | BundledStorage)
        ]

    @property
    def secrets_in_database(self) -> bool:
        """Whether connectors' credentials are kept in Airbyte's own database."""
        return self.secrets_manager is None

    @property
    def uses_identity(self) -> bool:
        """Whether pods log in to the cloud as themselves."""
        backends = (self.storage, self.secrets_manager)
        return any(getattr(backend, "authentication", "") == "workloadIdentity" for backend in backends)
