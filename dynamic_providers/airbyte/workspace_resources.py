"""The resources of a workspace beside what pipelines are made of: notifications, connectors of one's own, tags.

::

    WorkspaceNotifications("notifications", webhook=config.require_secret("slackUrl"), fingerprint_key=key)
    loyalty = DeclarativeConnector("loyalty", connector_name="Loyalty", manifest=Path("connectors/loyalty.yaml"))
    Source("loyalty", definition_id=loyalty.definition_id, connector_version=loyalty.version, …)
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pulumi
from pulumi.dynamic import Resource

from dynamic_providers.airbyte.manifest import load
from dynamic_providers.airbyte.notifications import DEFAULT_EVENTS
from dynamic_providers.airbyte.provider import (
    CustomConnectorProvider,
    DeclarativeConnectorProvider,
    TagProvider,
    WorkspaceNotificationsProvider,
)

_MODULE = "airbyte"


class WorkspaceNotifications(Resource, module=_MODULE, name="WorkspaceNotifications"):
    """Where a workspace tells what happened. It manages every event: one that is not named here is off.

    `webhook` is an address that takes messages in Slack's format, for each of `events`; `webhooks` gives single
    events an address of their own, as ``{"success": url}``. Events are success, failure, sync_disabled,
    sync_disabled_warning, connection_update, connection_update_action_required, breaking_change_warning,
    breaking_change_syncs_disabled, and what else the server knows (connection_sync_queued). `email_events` go by
    e-mail, where the platform can send any.

    An address is tried with a message before it is written, unless `skip_check` gives a reason not to. Deleting the
    resource puts back the settings that it found. Airbyte removes a workspace's webhook configurations (those of dbt
    Cloud operations) whenever a workspace is written: one that has any is left alone, unless
    `webhook_configs_may_be_lost` gives a reason.
    """

    workspace_id: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        fingerprint_key: pulumi.Input[str],
        webhook: pulumi.Input[str] | None = None,
        events: Sequence[str] = DEFAULT_EVENTS,
        webhooks: Mapping[str, pulumi.Input[str]] | None = None,
        email_events: Sequence[str] = (),
        workspace_id: pulumi.Input[str] | None = None,
        skip_check: str | None = None,
        webhook_configs_may_be_lost: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        addresses = {**(dict.fromkeys(events, webhook) if webhook is not None else {}), **(webhooks or {})}
        props = {
            # Whoever writes an address down plainly still gets it kept as the secret it is.
            "webhooks": {event: pulumi.Output.secret(address) for event, address in addresses.items()},
            "email_events": list(email_events),
            "fingerprint_key": fingerprint_key,
            "workspace_id": workspace_id,
            "skip_check": skip_check,
            "webhook_configs_may_be_lost": webhook_configs_may_be_lost,
            "before": None,
        }
        secret = pulumi.ResourceOptions(additional_secret_outputs=["before"])
        super().__init__(WorkspaceNotificationsProvider(), name, props, pulumi.ResourceOptions.merge(opts, secret))


class CustomConnector(Resource, module=_MODULE, name="CustomConnector"):
    """A connector of one's own, from a Docker image that the platform can pull.

    `resources` are Kubernetes quantities for its pods (cpu_request, cpu_limit, memory_request, memory_limit). With
    `adopt` an existing custom connector of this name and image is taken over. Name, version and resources change in
    place; another image is another connector. Deleting it is refused while sources or destinations are made of it,
    since Airbyte deletes those as well, unless `delete_in_use` gives a reason.
    """

    connector_name: pulumi.Output[str]
    docker_image_tag: pulumi.Output[str]
    workspace_id: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        kind: Literal["source", "destination"],
        connector_name: pulumi.Input[str],
        docker_repository: pulumi.Input[str],
        docker_image_tag: pulumi.Input[str],
        documentation_url: str = "",
        resources: Mapping[str, str] | None = None,
        workspace_id: pulumi.Input[str] | None = None,
        adopt: bool = False,
        delete_in_use: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            "kind": kind,
            "connector_name": connector_name,
            "docker_repository": docker_repository,
            "docker_image_tag": docker_image_tag,
            "documentation_url": documentation_url,
            "resources": dict(resources) if resources else None,
            "workspace_id": workspace_id,
            "adopt": adopt,
            "delete_in_use": delete_in_use,
        }
        super().__init__(CustomConnectorProvider(), name, props, opts)

    @property
    def definition_id(self) -> pulumi.Output[str]:
        """The server's id of the connector, known in previews unless it is new."""
        return self.id

    @property
    def version(self) -> pulumi.Output[str]:
        """The image's tag."""
        return self.docker_image_tag


class DeclarativeConnector(Resource, module=_MODULE, name="DeclarativeConnector"):
    """A source connector that is a manifest of Airbyte's low-code CDK.

    `manifest` is the manifest or the YAML or JSON file that holds it; `components` is the Python source of its custom
    components, which a platform runs only where it allows unsafe code. A changed manifest becomes a further version
    and the active one at once; what somebody drafted of it in the Connector Builder is then gone. With `adopt` a
    builder project of this name is taken over. Deleting is refused while sources are made of it, as with
    CustomConnector.
    """

    builder_project_id: pulumi.Output[str]
    connector_version: pulumi.Output[str]
    manifest_version: pulumi.Output[int]
    workspace_id: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        connector_name: pulumi.Input[str],
        manifest: Mapping[str, Any] | Path,
        components: str | None = None,
        workspace_id: pulumi.Input[str] | None = None,
        adopt: bool = False,
        delete_in_use: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Raises InvalidConfigError for a file that holds no manifest."""
        props = {
            "connector_name": connector_name,
            "manifest": load(manifest) if isinstance(manifest, Path) else dict(manifest),
            "components": components,
            "workspace_id": workspace_id,
            "adopt": adopt,
            "delete_in_use": delete_in_use,
            "builder_project_id": None,
            "connector_version": None,
            "manifest_version": None,
        }
        super().__init__(DeclarativeConnectorProvider(), name, props, opts)

    @property
    def definition_id(self) -> pulumi.Output[str]:
        """The server's id of the connector, known in previews unless it is new."""
        return self.id

    @property
    def version(self) -> pulumi.Output[str]:
        """The tag of the image that runs manifests; the platform moves it by itself."""
        return self.connector_version


class Tag(Resource, module=_MODULE, name="Tag"):
    """A tag that connections can bear. `color` is six hexadecimal digits.

    Connections make the tags they name where there are none; such a tag, in the colour they give it, is taken over
    when it is declared. Deleting a tag takes it from its connections.
    """

    tag_name: pulumi.Output[str]
    color: pulumi.Output[str]
    workspace_id: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        tag_name: pulumi.Input[str],
        color: pulumi.Input[str],
        workspace_id: pulumi.Input[str] | None = None,
        adopt: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {"tag_name": tag_name, "color": color, "workspace_id": workspace_id, "adopt": adopt}
        super().__init__(TagProvider(), name, props, opts)

    @property
    def tag_id(self) -> pulumi.Output[str]:
        """The server's id."""
        return self.id
