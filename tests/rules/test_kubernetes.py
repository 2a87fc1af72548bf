"""The manifests for Kubernetes follow the published schemas, and agree with the image and the application."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click
import pytest
import yaml

from saas_app.cli import main
from saas_app.config import Settings
from saas_app.operations.server import _GRACE
from saas_app.web.health import healthz, readyz
from tests.databases import ROOT
from tests.rules.test_compose import known_variables
from tests.rules.test_image import USER_ID

pytestmark = pytest.mark.one_database

Object = dict[str, Any]

FILES: Final = sorted((ROOT / "deploy/kubernetes").glob("*.yaml"))
OBJECTS: Final[list[tuple[Path, Object]]] = [
    (path, found) for path in FILES for found in yaml.safe_load_all(path.read_text(encoding="utf-8"))
]
OLDEST: Final = "1.30"
"""The oldest Kubernetes that the manifests are for. Its successors accept them as well."""


def found(kind: str, name: str = "workroom") -> Object:
    """Return the object of a kind with a name."""
    (one,) = [item for _path, item in OBJECTS if (item["kind"], item["metadata"]["name"]) == (kind, name)]
    return one


def pods() -> Iterator[Object]:
    """Yield the specification of each pod that runs our image."""
    yield found("Deployment")["spec"]["template"]["spec"]
    yield found("Job", "workroom-migrate")["spec"]["template"]["spec"]
    yield found("CronJob", "workroom-reconcile")["spec"]["jobTemplate"]["spec"]["template"]["spec"]


PODS: Final = {pod["containers"][0]["name"]: pod for pod in pods()}
APP: Final[Object] = PODS["app"]["containers"][0]
PORTS: Final = {port["name"]: port["containerPort"] for port in APP["ports"]}


def values_of(pod: Object) -> dict[str, str]:
    """Return the environment of a pod's container, from all the objects it names."""
    values: dict[str, str] = {}
    for source in pod["containers"][0]["envFrom"]:
        if "configMapRef" in source:
            values |= found("ConfigMap", source["configMapRef"]["name"])["data"]
        else:
            values |= found("Secret", source["secretRef"]["name"])["stringData"]
    return values


@pytest.mark.parametrize("version", [OLDEST, "newest"])
@pytest.mark.parametrize(
    ("path", "manifest"), OBJECTS, ids=[f"{path.stem}-{item['kind']}" for path, item in OBJECTS]
)
def test_each_manifest_follows_the_published_schema(path: Path, manifest: Object, version: str) -> None:
    import kubernetes_validate  # takes seconds

    named = kubernetes_validate.latest_version() if version == "newest" else version
    kubernetes_validate.validate(manifest, named, strict=True)


@pytest.mark.parametrize("name", PODS)
def test_each_pod_gets_settings_that_exist(name: str) -> None:
    assert set(values_of(PODS[name])) <= known_variables()


def test_the_application_gets_every_setting_without_a_default() -> None:
    needed = {str(field.validation_alias) for field in Settings.model_fields.values() if field.is_required()}

    assert needed
    assert needed <= set(values_of(PODS["app"]))


def test_the_example_contains_no_secret_and_the_configuration_none_either() -> None:
    secrets = [item for _path, item in OBJECTS if item["kind"] == "Secret"]

    assert {value for secret in secrets for value in secret["stringData"].values()} == {""}
    assert not set(found("ConfigMap")["data"]) & {name for secret in secrets for name in secret["stringData"]}


def test_each_purpose_has_a_secret_of_its_own() -> None:
    named = [
        source["secretRef"]["name"]
        for pod in PODS.values()
        for source in pod["containers"][0]["envFrom"]
        if "secretRef" in source
    ]

    assert named == ["workroom-app", "workroom-owner", "workroom-jobs"]
    assert "DATABASE_OWNER_URL" not in values_of(PODS["app"])


@pytest.mark.parametrize("name", PODS)
def test_each_pod_runs_as_the_images_user_without_privileges(name: str) -> None:
    pod = PODS[name]
    container = pod["containers"][0]

    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": USER_ID,
        "runAsGroup": USER_ID,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert [mount["mountPath"] for mount in container["volumeMounts"]] == ["/tmp"]  # noqa: S108


@pytest.mark.parametrize("name", PODS)
def test_each_pod_runs_a_command_that_exists_and_has_bounds(name: str) -> None:
    container = PODS[name]["containers"][0]
    program, command, *options = container["command"]
    known = main.get_command(click.Context(main), command)

    assert program == "saas-app"
    assert known is not None
    assert set(options) <= {option for parameter in known.params for option in parameter.opts}
    assert container["resources"]["limits"]["memory"]
    assert container["resources"]["requests"]


def test_all_pods_run_the_same_image() -> None:
    assert len({pod["containers"][0]["image"] for pod in PODS.values()}) == 1


def test_probes_ask_the_routes_for_them() -> None:
    def path_of(probe: str) -> str:
        assert APP[probe]["httpGet"]["port"] == "http"
        return str(APP[probe]["httpGet"]["path"])

    assert path_of("readinessProbe") == f"/{readyz.__name__}"
    assert path_of("livenessProbe") == path_of("startupProbe") == f"/{healthz.__name__}"
    assert PORTS["http"] == Settings.model_fields["port"].default


def test_a_pod_that_stops_drains_longer_than_the_service_needs_to_notice_and_has_time_to_finish() -> None:
    drain = int(found("ConfigMap")["data"]["APP_DRAIN_SECONDS"])
    probe = APP["readinessProbe"]

    assert drain > probe["periodSeconds"] * probe["failureThreshold"] + probe["timeoutSeconds"]
    assert PODS["app"]["terminationGracePeriodSeconds"] > drain + _GRACE


def test_an_update_or_a_drained_node_leaves_a_host_to_answer() -> None:
    deployment = found("Deployment")["spec"]

    assert deployment["replicas"] >= 2
    assert deployment["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert 1 <= found("PodDisruptionBudget")["spec"]["minAvailable"] < deployment["replicas"]
    assert PODS["app"]["topologySpreadConstraints"][0]["topologyKey"] == "kubernetes.io/hostname"


def test_everything_that_selects_the_application_selects_its_pods_alone() -> None:
    labels = found("Deployment")["spec"]["template"]["metadata"]["labels"]
    selectors = [
        found("Deployment")["spec"]["selector"]["matchLabels"],
        found("Service")["spec"]["selector"],
        found("PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        found("NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
        PODS["app"]["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"],
    ]

    assert labels["app.kubernetes.io/component"] == "app"
    assert all(selector == labels for selector in selectors)


def test_metrics_can_be_read_by_the_monitoring_alone() -> None:
    by_port = {rule["ports"][0]["port"]: rule["from"] for rule in found("NetworkPolicy")["spec"]["ingress"]}

    assert set(by_port) == set(PORTS)
    assert by_port["metrics"] != by_port["http"]
    assert str(PORTS["metrics"]) == found("ConfigMap")["data"]["METRICS_PORT"]
    assert found("ConfigMap")["data"]["METRICS_HOST"] == "0.0.0.0"  # noqa: S104  # of the pod, not of a machine


def test_requests_reach_the_application_by_the_port_with_a_name() -> None:
    (rule,) = found("Ingress")["spec"]["rules"]
    (port,) = found("Service")["spec"]["ports"]

    assert rule["http"]["paths"][0]["backend"]["service"] == {
        "name": "workroom",
        "port": {"name": port["name"]},
    }
    assert port["targetPort"] == "http"
    assert f"https://{rule['host']}" == found("ConfigMap")["data"]["APP_URL"]
