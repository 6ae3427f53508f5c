"""What a chart renders, against the table: objects, hooks, images, ports, Secrets, pod security."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from airbyte_cli.platform.helm import Chart
from airbyte_cli.platform.manifest import Object, Pod, hooks, name
from airbyte_cli.platform.pod_security import violations
from airbyte_cli.platform.report import Deviation
from components.airbyte_platform.chart import ChartTable
from components.airbyte_platform.chart.table import KeyPath


def component_deviations(
    table: ChartTable, listed: Sequence[Pod], objects: Sequence[Object], release: str
) -> Iterator[Deviation]:
    """The pods of the table: whether they are there, and what they are like."""
    by_owner = {pod.owner: pod for pod in listed}
    rendered = {name(item): item for item in objects}
    expected = {f"{each.kind}/{each.name.format(release=release)}": key for key, each in table.components.items()}
    for owner, key in expected.items():
        component, pod = table.components[key], by_owner.get(owner)
        if pod is None:
            yield Deviation(area="objects", where=owner, what="is not rendered")
            continue
        if pod.component != key:
            what = f"has the label airbyte={pod.component or '(none)'} on its pod, and not {key}"
            yield Deviation(area="objects", where=owner, what=what)
        if hooks(rendered[owner]) != sorted(component.hook):
            yield _hook(owner, hooks(rendered[owner]), component.hook)
        if not any(_repository(image).endswith(component.image) for image in pod.images):
            what = f"runs {', '.join(pod.images)}, and not {component.image}"
            yield Deviation(area="images", where=owner, what=what)
        missing = sorted(set(component.ports) - set(pod.ports))
        if missing:
            yield Deviation(area="ports", where=owner, what=f"does not declare {', '.join(map(str, missing))}")
        if pod.repeated:
            what = f"has environment variables twice, which server-side apply refuses: {', '.join(pod.repeated)}"
            yield Deviation(area="objects", where=owner, what=what)
    for owner, pod in by_owner.items():
        refused = violations(pod.spec, pod.annotations)
        allowed = owner in expected and not table.components[expected[owner]].restricted
        if refused and not allowed:
            what = f"is refused by the Pod Security profile restricted: {'; '.join(refused)}"
            yield Deviation(area="security", where=owner, what=what)
        elif allowed and not refused:
            yield Deviation(
                area="security", where=owner, what="is admitted by restricted, and the table says it is not"
            )


def _repository(image: str) -> str:
    """An image's name without digest and tag."""
    path = image.partition("@")[0]
    head, _, last = path.rpartition("/")
    return f"{head}/{last.partition(':')[0]}"


def service_deviations(
    table: ChartTable, listed: Sequence[Pod], objects: Sequence[Object], release: str
) -> Iterator[Deviation]:
    """Where the Services lead to."""
    services = {item["metadata"]["name"]: item for item in objects if item["kind"] == "Service"}
    for pattern, expected in table.services.items():
        where = f"Service/{pattern.format(release=release)}"
        service = services.get(pattern.format(release=release))
        if service is None:
            yield Deviation(area="objects", where=where, what="is not rendered")
            continue
        selector = service["spec"]["selector"]
        behind = [pod for pod in listed if selector.items() <= pod.labels.items()]
        if [pod.component for pod in behind] != [expected.component]:
            found = ", ".join(pod.owner for pod in behind) or "no pod"
            yield Deviation(area="ports", where=where, what=f"leads to {found}, and not to {expected.component}")
            continue
        ports = {
            port["port"]: behind[0].port(port.get("targetPort", port["port"])) for port in service["spec"]["ports"]
        }
        if ports.get(expected.port) != expected.pod_port:
            led = ", ".join(f"{port} to {target}" for port, target in ports.items()) or "nowhere"
            what = f"leads from {led}, and not from {expected.port} to {expected.pod_port}"
            yield Deviation(area="ports", where=where, what=what)


def hook_deviations(
    table: ChartTable, objects: Sequence[Object], values: Mapping[str, Any], chart: Chart, release: str
) -> Iterator[Deviation]:
    """Which objects are hooks, and when."""
    expected = {
        f"{each.kind}/{each.name.format(release=release)}": each.hook
        for each in table.hooks
        if all(_holds(condition, values, chart.values) for condition in each.when)
    }
    pods_among_them = {f"{each.kind}/{each.name.format(release=release)}" for each in table.components.values()}
    rendered = {name(item): hooks(item) for item in objects}
    for where, hook in expected.items():
        if where not in rendered:
            yield Deviation(area="objects", where=where, what="is not rendered")
        elif rendered[where] != sorted(hook):
            yield _hook(where, rendered[where], hook)
    for where, found in rendered.items():
        if found and where not in expected and where not in pods_among_them:
            yield _hook(where, found, [])


def _hook(where: str, found: list[str], expected: list[str]) -> Deviation:
    what = f"is {_moments(found)}, and the table says {_moments(sorted(expected))}"
    return Deviation(area="hooks", where=where, what=what)


def _moments(hook: list[str]) -> str:
    return f"a hook at {', '.join(hook)}" if hook else "no hook"


def _holds(condition: str, *layers: Mapping[str, Any]) -> bool:
    """Whether ``key`` is set, or to what ``key=value`` says."""
    key, _, wanted = condition.partition("=")
    value = _value(tuple(key.split(".")), *layers)
    return str(value) == wanted if wanted else bool(value)


def _value(path: KeyPath, *layers: Mapping[str, Any]) -> Any:
    """A value as the chart sees it: of the first layer that has the key."""
    for layer in layers:
        value: Any = layer
        for part in path:
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is not None:
            return value
    return None


def secret_deviations(table: ChartTable, listed: Sequence[Pod], values: Mapping[str, Any]) -> Iterator[Deviation]:
    """Which components need which variables out of Secrets."""
    readers: dict[str, set[str]] = {}
    for pod in listed:
        if pod.component in table.components:
            for variable in pod.secrets:
                readers.setdefault(variable, set()).add(pod.component)
    for variable, expected in table.secrets.items():
        found = readers.pop(variable, set())
        if found != set(expected.read_by) and (found or not expected.when):
            what = (
                f"comes out of a Secret for {_listed(found)}, and the table says for {_listed(set(expected.read_by))}"
            )
            yield Deviation(area="secrets", where=variable, what=what)
    for variable in readers.keys() - _own_variables(values):
        found = readers[variable]
        what = f"comes out of a Secret for {_listed(found)}, and is not in the table"
        yield Deviation(area="secrets", where=variable, what=what)


def _own_variables(values: Mapping[str, Any]) -> set[str]:
    """Environment variables that the values themselves add to components."""
    components = [each for each in values.values() if isinstance(each, Mapping)]
    added = {variable["name"] for each in components for variable in each.get("extraEnv") or []}
    return added | {name for each in components for name in each.get("secrets") or {}}


def _listed(found: set[str]) -> str:
    return ", ".join(sorted(found)) or "nobody"


def launcher_deviations(table: ChartTable, listed: Sequence[Pod]) -> Iterator[Deviation]:
    """What the launcher is told of the pods it makes."""
    for pod in listed:
        if pod.component == "workload-launcher":
            missing = set(table.launcher_settings) - {each["name"] for each in pod.variables()}
            for variable in sorted(missing):
                what = "is not given to the launcher, which makes job pods by it"
                yield Deviation(area="launcher", where=variable, what=what)
