"""A chart against the table of its minor version: everything in which they differ."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from airbyte_cli.platform.helm import Chart
from airbyte_cli.platform.key_comparison import key_deviations, key_report, value_deviations
from airbyte_cli.platform.manifest import Object, Pod, hooks, name, pods
from airbyte_cli.platform.object_comparison import (
    component_deviations,
    hook_deviations,
    launcher_deviations,
    secret_deviations,
    service_deviations,
)
from airbyte_cli.platform.pod_security import violations
from airbyte_cli.platform.report import Deviation, PodReport, Report
from airbyte_cli.platform.template_reads import reads
from components.airbyte_platform.chart import ChartTable


def verify(
    chart: Chart, table: ChartTable, values: Mapping[str, Any], objects: Sequence[Object], release: str
) -> Report:
    """Compare a chart, and the `objects` that it rendered with `values`, with the table.

    Raises TemplateSyntaxError for templates that can't be read.
    """
    found = reads(chart.templates, chart.values)
    keys = key_report(chart, table, found)
    listed = pods(objects)
    return Report(
        chart=chart.name,
        version=chart.version,
        app_version=chart.app_version,
        sha256=chart.sha256,
        table=table.minor,
        keys=keys,
        pods=[_pod(pod, objects) for pod in listed],
        hooks={name(item): hooks(item) for item in objects if hooks(item)},
        deviations=[
            *_archive(chart, table),
            *key_deviations(keys, table, found),
            *value_deviations(values, chart, found),
            *component_deviations(table, listed, objects, release),
            *service_deviations(table, listed, objects, release),
            *hook_deviations(table, objects, values, chart, release),
            *secret_deviations(table, listed, values),
            *launcher_deviations(table, listed),
        ],
    )


def _archive(chart: Chart, table: ChartTable) -> Iterator[Deviation]:
    expected = table.releases.get(chart.version)
    if expected and expected.sha256 and chart.sha256 and expected.sha256 != chart.sha256:
        what = f"has the SHA-256 {chart.sha256}, and version {chart.version} was published with {expected.sha256}"
        yield Deviation(area="archive", where=chart.location, what=what)


def _pod(pod: Pod, objects: Sequence[Object]) -> PodReport:
    refused = violations(pod.spec, pod.annotations)
    owner = next(item for item in objects if name(item) == pod.owner)
    return PodReport(
        owner=pod.owner,
        component=pod.component,
        hooks=hooks(owner),
        images=pod.images,
        ports=sorted(pod.ports),
        service_account=pod.spec.get("serviceAccountName", "default"),
        security_context=pod.spec.get("securityContext") or {},
        container_security_contexts={
            container["name"]: container.get("securityContext") or {} for container in pod.containers
        },
        secrets={variable: "/".join(source) for variable, source in pod.secrets.items()},
        restricted=not refused,
        violations=refused,
    )
