"""``airbyte-cli platform verify-chart``"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from airbyte_cli.platform.helm import Helm
from airbyte_cli.platform.platform_values import production_values
from airbyte_cli.platform.report import Report
from airbyte_cli.platform.verification import verify as verify_chart
from components.airbyte_platform.chart import load_table

Verify = Callable[..., Result]
Alter = Callable[[str, str, str], Path]
Deviations = Callable[..., list[tuple[str, str, str]]]


def test_the_stand_in_is_as_the_table_says(verify: Verify, chart_folder: Path) -> None:
    result = verify(str(chart_folder))
    assert result.exit_code == 0, result.stdout
    assert "Everything is as the table says." in result.stdout


def test_the_report_as_json(verify: Verify, chart_folder: Path) -> None:
    report = json.loads(verify(str(chart_folder), "-o", "json").stdout)
    assert (report["version"], report["table"], report["deviations"]) == ("2.2.0", "2.2", [])
    assert "global.workloads.namespace" in report["keys"]["inert"]
    assert "workloadLauncher.parallelism" in report["keys"]["undeclared"]
    assert "global.airbyteUrl" in report["keys"]["read"]
    pods = {pod["owner"]: pod for pod in report["pods"]}
    assert pods["Deployment/airbyte-server"]["restricted"]
    assert pods["Deployment/airbyte-server"]["secrets"]["DATABASE_USER"] == "airbyte-database/username"
    assert not pods["Pod/airbyte-test-connection"]["restricted"]


MUTATIONS = {
    "a key is no longer read": (
        ("templates/_settings.tpl", ".Values.global.logging.level", '"info"'),
        ("keys", "global.logging.level", "is read by no template"),
    ),
    "an inert key is read": (
        ("templates/_settings.tpl", ".Values.server.auditLoggingEnabled", ".Values.server.log.level"),
        ("keys", "server.log.level", "the table calls it inert"),
    ),
    "a new key is read and not declared": (
        ("templates/_settings.tpl", ".Values.server.httpIdleTimeout", ".Values.global.loud"),
        ("keys", "global.loud", "read by a template and not declared; it is not in the table"),
    ),
    "a key is declared and read by nothing": (
        ("values.yaml", "  edition: community\n", "  edition: community\n  editor: vi\n"),
        ("keys", "global.editor", "read by none of its templates; it is not in the table"),
    ),
    "a key is declared after all": (
        ("values.yaml", "    replica: {}\n", '    replica: {}\n    userSecretKey: ""\n'),
        ("keys", "global.database.userSecretKey", "is declared by the chart, and the table says it is not"),
    ),
    "a key is not declared any more": (
        ("values.yaml", "  edition: community\n", ""),
        ("keys", "global.edition", "is not declared by the chart, and the table says it is"),
    ),
    "a hook is none any more": (
        ("templates/bootloader.yaml", "    helm.sh/hook: pre-install,pre-upgrade\n", ""),
        ("hooks", "Pod/airbyte-bootloader", "is no hook, and the table says a hook at pre-install, pre-upgrade"),
    ),
    "an object becomes a hook": (
        ("templates/ingress.yaml", "with .Values.ingress.annotations", 'with dict "helm.sh/hook" "pre-install"'),
        ("hooks", "Ingress/airbyte", "is a hook at pre-install, and the table says no hook"),
    ),
    "an image is another": (
        ("values.yaml", "repository: airbyte/cron", "repository: example/cron"),
        ("images", "Deployment/airbyte-cron", "runs example/cron:2.2.0, and not airbyte/cron"),
    ),
    "a pod's port is another": (
        ("templates/deployments.yaml", '"containerPort" 8007', '"containerPort" 8001'),
        ("ports", "Deployment/airbyte-workload-api-server", "does not declare 8007"),
    ),
    "a service leads elsewhere": (
        ("templates/services.yaml", '"target" 7233', '"target" 7234'),
        ("ports", "Service/airbyte-temporal", "leads from 7233 to 7234, and not from 7233 to 7233"),
    ),
    "an object is gone": (
        ("templates/deployments.yaml", '"component" "worker"', '"component" "workers"'),
        ("objects", "Deployment/airbyte-worker", "is not rendered"),
    ),
    "a secret is read by fewer": (
        ("templates/deployments.yaml", '(list "common" "signature")', '(list "common")'),
        ("secrets", "AB_JWT_SIGNATURE_SECRET", "and the table says for bootloader, cron, manifest-server"),
    ),
    "the launcher is told less": (
        ("templates/_jobs.tpl", "JOB_KUBE_TOLERATIONS:", "JOB_TOLERATIONS:"),
        ("launcher", "JOB_KUBE_TOLERATIONS", "is not given to the launcher"),
    ),
    "a pod is refused": (
        ("templates/_pod.tpl", "    securityContext: {{ toYaml $values.containerSecurityContext | nindent 6 }}\n", ""),
        ("security", "Deployment/airbyte-server", "is refused by the Pod Security profile restricted"),
    ),
}


@pytest.fixture(scope="module")
def mutant(helm: Helm, chart_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """What is found in a copy of the stand-in with every mutation at once."""
    copy = tmp_path_factory.mktemp("mutant") / "airbyte"
    shutil.copytree(chart_folder, copy)
    for (file, old, new), _ in MUTATIONS.values():
        text = (copy / file).read_text()
        assert old in text, f"{file} does not say {old!r}"
        (copy / file).write_text(text.replace(old, new))
    values = production_values()
    with helm.chart(str(copy), None) as chart:
        objects = helm.render(chart, values, "airbyte", "airbyte")
        return verify_chart(chart, load_table("2.2.0"), values, objects, "airbyte")


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_chart_that_differs_is_reported(mutation: str, mutant: Report) -> None:
    _, (area, where, what) = MUTATIONS[mutation]
    assert [each for each in mutant.deviations if (each.area, each.where) == (area, where) and what in each.what]


def test_deviations_end_with_a_code_of_their_own(verify: Verify, altered: Alter) -> None:
    result = verify(str(altered("values.yaml", "repository: airbyte/cron", "repository: example/cron")))
    assert result.exit_code == 3
    assert "images: Deployment/airbyte-cron runs example/cron:2.2.0, and not airbyte/cron" in result.stdout
    assert result.stdout.rstrip().endswith("1 deviation.")


def test_values_that_the_chart_would_ignore_deviate(deviations: Deviations, chart_folder: Path, tmp_path: Path) -> None:
    values = tmp_path / "values.yaml"
    values.write_text("global: {typo: 1}\nserver: {log: {level: DEBUG}}\nserviceAccount: {create: false}\n")
    found = deviations(chart_folder, "--values", str(values))
    assert [each[:2] for each in found] == [("values", "global.typo"), ("values", "server.log")]


def test_what_values_add_does_not_deviate(deviations: Deviations, chart_folder: Path, tmp_path: Path) -> None:
    """Other storage brings no MinIO, a component's own secrets bring a Secret, and variables are as given."""
    values = tmp_path / "values.yaml"
    values.write_text(
        """
        global: {storage: {type: azure, secretName: blobs, azure: {connectionStringSecretKey: connection}}}
        cron: {secrets: {TOKEN: x}}
        server:
          extraEnv: [{name: MINE, valueFrom: {secretKeyRef: {name: mine, key: k}}}]
        """
    )
    assert deviations(chart_folder, "--values", str(values)) == []


def test_a_variable_that_stands_twice_deviates(deviations: Deviations, chart_folder: Path, tmp_path: Path) -> None:
    values = tmp_path / "values.yaml"
    values.write_text("workloadLauncher: {env_vars: {JOB_KUBE_SERVICEACCOUNT: other}}")
    [(area, where, what)] = deviations(chart_folder, "--values", str(values))
    assert (area, where) == ("objects", "Deployment/airbyte-workload-launcher")
    assert what == "has environment variables twice, which server-side apply refuses: JOB_KUBE_SERVICEACCOUNT"


def test_an_archive_of_a_known_version_must_be_the_published_one(
    deviations: Deviations, package: Callable[[str], Path]
) -> None:
    assert [each[0] for each in deviations(package("2.2.0"))] == ["archive"]
    assert deviations(package("2.2.1")) == []


def test_a_chart_comes_from_a_repository_at_a_version_or_the_newest(verify: Verify, repository: str) -> None:
    for arguments, version in ((["--version", "2.1.9"], "2.1.9"), ([], "2.2.1")):
        report = json.loads(verify(repository, "-o", "json", *arguments).stdout)
        assert report["version"] == version
        assert len(report["sha256"]) == 64


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["/nowhere"], "/nowhere: does not exist."),
        (["{folder}/values.yaml"], "values.yaml: is no chart archive."),
        (["{folder}/templates"], "templates: is no Helm chart that can be read"),
        (["{folder}", "--values", "/nowhere.yaml"], "/nowhere.yaml: can't be read"),
        (["http://127.0.0.1:1/charts", "--version", "2.2.0"], "http://127.0.0.1:1/charts: gives no chart. Helm: "),
    ],
)
def test_what_can_not_be_verified_is_told_in_a_sentence(
    arguments: list[str], said: str, verify: Verify, chart_folder: Path
) -> None:
    result = verify(*(each.format(folder=chart_folder) for each in arguments))
    assert result.exit_code == 1
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_a_minor_version_without_a_table_is_refused(verify: Verify, package: Callable[[str], Path]) -> None:
    result = verify(str(package("3.0.0")))
    assert result.exit_code == 1
    assert "Use one of 2.1.x, 2.2.x." in result.stderr


def test_without_helm_it_says_so(verify: Verify, chart_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    result = verify(str(chart_folder))
    assert result.exit_code == 1
    assert result.stderr.startswith("helm: is not on PATH")


def test_a_chart_that_helm_can_not_render_is_told_in_helms_words(verify: Verify, altered: Alter) -> None:
    result = verify(str(altered("templates/test.yaml", "apiVersion: v1", '{{ fail "no luck" }}')))
    assert result.exit_code == 1
    assert "can't be rendered with these values. Helm: " in result.stderr
    assert "no luck" in result.stderr
