"""What must hold for the manifests, without a cluster that could run them."""

from typing import Any

import pytest
import yaml

from tests.docker import DOCKER

FOLDER = DOCKER / "kubernetes"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text(encoding="utf-8"))
OBJECTS: list[dict[str, Any]] = [
    document
    for path in sorted(FOLDER.glob("*.yaml"))
    if path.name != "kustomization.yaml"
    for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
]


def find(kind: str, name: str) -> dict[str, Any]:
    [found] = [item for item in OBJECTS if (item["kind"], item["metadata"]["name"]) == (kind, name)]
    return found


CLUSTER = find("RayCluster", "qsynth")["spec"]
GROUPS = {group["groupName"]: group for group in CLUSTER["workerGroupSpecs"]}
PODS: dict[str, dict[str, Any]] = {
    "head": CLUSTER["headGroupSpec"]["template"]["spec"],
    **{name: group["template"]["spec"] for name, group in GROUPS.items()},
    "mlflow": find("Deployment", "mlflow")["spec"]["template"]["spec"],
    "postgres": find("StatefulSet", "postgres")["spec"]["template"]["spec"],
}


def test_every_manifest_is_applied_but_the_jobs() -> None:
    files = {path.name for path in FOLDER.glob("*.yaml")} - {"kustomization.yaml", "rayjob.yaml"}
    assert set(KUSTOMIZATION["resources"]) == files


@pytest.mark.parametrize("name", PODS)
def test_a_pod_has_no_more_rights_than_it_needs(name: str) -> None:
    pod = PODS[name]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert name == "head" or pod["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
    assert not any("hostPath" in volume for volume in pod["volumes"])
    for container in pod["containers"]:
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["readOnlyRootFilesystem"] is True
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])
        assert {"cpu", "memory"} <= set(container["resources"]["limits"])
        assert container["readinessProbe"]
        assert container["livenessProbe"]


@pytest.mark.parametrize("name", PODS)
def test_a_pod_mounts_what_it_has(name: str) -> None:
    volumes = {volume["name"] for volume in PODS[name]["volumes"]}
    claimed = {"data"} if name == "postgres" else set()
    for container in PODS[name]["containers"]:
        assert {mount["name"] for mount in container["volumeMounts"]} == volumes | claimed


@pytest.mark.parametrize("name", PODS)
def test_images_have_an_exact_version(name: str) -> None:
    composed = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))["services"]
    known = {service["image"] for service in composed.values()}
    for container in PODS[name]["containers"]:
        assert container["image"] in known, "one version, in compose.yaml and here"


@pytest.mark.parametrize("name", PODS)
def test_secrets_are_files_that_others_cannot_read(name: str) -> None:
    for container in PODS[name]["containers"]:
        for variable in container.get("env", []):
            assert "PASSWORD" not in variable["name"] or variable["value"].startswith("/run/secrets/")
            assert "TOKEN" not in variable["name"]
    secret = [volume["secret"] for volume in PODS[name]["volumes"] if "secret" in volume]
    assert all(volume["defaultMode"] & 0o007 == 0 for volume in secret)
    assert not [item for item in OBJECTS if item["kind"] == "Secret"], "secrets are made on the spot, not kept in git"


def test_ray_asks_for_the_token() -> None:
    assert CLUSTER["authOptions"] == {"mode": "token"}
    context = CLUSTER["autoscalerOptions"]["securityContext"]
    assert context["runAsNonRoot"] is True
    assert context["allowPrivilegeEscalation"] is False


def test_worker_groups_scale_and_offer_what_studies_ask_for() -> None:
    assert CLUSTER["enableInTreeAutoscaling"] is True
    assert set(GROUPS) == {"cpu", "gpu", "qpu"}
    for group in GROUPS.values():
        assert 0 <= group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
        assert group["template"]["spec"]["restartPolicy"] == "Never"
    assert GROUPS["cpu"]["minReplicas"] >= 1
    assert GROUPS["gpu"]["rayStartParams"]["num-gpus"] == "1"
    [gpu] = PODS["gpu"]["containers"]
    assert gpu["resources"]["limits"]["nvidia.com/gpu"] == "1"
    # The quotes reach `ray start` through a shell.
    assert GROUPS["qpu"]["rayStartParams"]["resources"] == r'"{\"qpu\": 1}"'


def test_nothing_is_reached_from_outside() -> None:
    services = [item for item in OBJECTS if item["kind"] == "Service"]
    assert {service["spec"].get("type", "ClusterIP") for service in services} == {"ClusterIP"}
    assert CLUSTER["headGroupSpec"]["serviceType"] == "ClusterIP"
    assert not [item for item in OBJECTS if item["kind"] in ("Ingress", "Gateway", "HTTPRoute")]
    policy = find("NetworkPolicy", "this-namespace-only")["spec"]
    assert policy["podSelector"] == {}
    assert policy["policyTypes"] == ["Ingress"]
    labels = find("Namespace", "qsynth")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert KUSTOMIZATION["namespace"] == "qsynth"


def test_the_job_runs_a_preset_on_this_cluster() -> None:
    job = find("RayJob", "breast-cancer")["spec"]
    assert job["clusterSelector"] == {"ray.io/cluster": "qsynth"}
    assert job["entrypoint"].startswith("qsynth tune breast_cancer ")
    assert "--tracking-uri http://mlflow:5000" in job["entrypoint"]
    assert "backoffLimit" not in job, "KubeRay refuses it for a job on a cluster that is there"
