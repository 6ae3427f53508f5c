"""The whole platform of a stack: its settings and pipeline files in, components and their ids out."""

import pulumi

from components import registrations
from components.airbyte_platform.platform import AirbytePlatform
from components.airbyte_workspace import AirbyteWorkspace, AirbyteWorkspaceArgs
from components.elt_pipeline import EltPipeline, EltPipelineArgs
from components.errors import ConfigurationError
from components.plan import Plan
from components.postgres_cdc import PostgresCdcSource
from components.snowflake_warehouse import SnowflakeWarehouse

try:
    plan = Plan.load()
except ConfigurationError as error:
    raise pulumi.RunError(str(error)) from None

postgres = {name: PostgresCdcSource(f"postgres-{name}", args) for name, args in plan.postgres.items()}
snowflake = SnowflakeWarehouse("snowflake", plan.snowflake) if plan.snowflake else None
needs = [needed for component in (*postgres.values(), snowflake) if component for needed in component.ready]

settings = plan.settings
platform = AirbytePlatform("platform", plan.platform) if plan.platform else None
workspace = AirbyteWorkspace(
    "airbyte",
    AirbyteWorkspaceArgs(
        pins=plan.pins,
        workspace_id=settings.airbyte.workspace_id or None,
        adopt=settings.stack.adopt,
        notifications_webhook=settings.stack.notifications_webhook,
    ),
    needs=platform.ready if platform else (),
)
pipelines = {
    planned.file.name: EltPipeline(
        planned.file.name,
        EltPipelineArgs(
            pipeline=planned.file,
            source=workspace.source(planned.file.source, planned.source, needs),
            destination=workspace.destination(planned.file.destination, planned.destination, needs),
            mapper_keys=planned.mapper_keys,
            timezone=settings.stack.timezone,
            adopt=settings.stack.adopt,
        ),
    )
    for planned in plan.pipelines
}
for alone in plan.alone:
    workspace.alone(alone.file, alone.config, needs)

pulumi.export("platform", platform.names if platform else {})
pulumi.export("airbyte", {"url": settings.airbyte.url, "workspaceId": workspace.workspace_id})
pulumi.export("connectors", workspace.versions)
pulumi.export("postgres", {name: source.names for name, source in postgres.items()})
pulumi.export("snowflake", snowflake.names if snowflake else {})
pulumi.export("sources", workspace.ids["sources"])
pulumi.export("destinations", workspace.ids["destinations"])
pulumi.export("pipelines", {name: pipeline.ids for name, pipeline in pipelines.items()})

pulumi.run(registrations.begin)
