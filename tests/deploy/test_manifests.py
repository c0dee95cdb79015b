"""The manifests of deploy/: valid for the cluster's API, and true of each other and the service."""

import copy
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from settings import load_settings
from tests.deploy import kustomize
from tests.deploy.knative import mistakes_of
from tests.deploy.kustomize import Json
from tests.deploy.units import ROOT
from tests.system.service import key_stanza

DEPLOY = ROOT / "deploy"
OVERLAYS = {
    name: DEPLOY / "kubernetes" / "overlays" / name for name in ("passthrough", "reencrypt")
}
FOLDERS = {**OVERLAYS, "knative": DEPLOY / "knative"}
RENDERED = {name: kustomize.build(folder) for name, folder in FOLDERS.items()}
API = "1.32"
STOPS_S = 5  # what a stop takes beside the drain and the requests
every = pytest.mark.parametrize("name", FOLDERS)
overlays = pytest.mark.parametrize("name", OVERLAYS)


def one(name: str, kind: str) -> Json:
    """Return the only object of a kind."""
    [found] = [each for each in RENDERED[name] if each["kind"] == kind]
    return found


def pod(name: str) -> Json:
    """Return the spec of the pod."""
    spec: Json = one(name, "Service" if name == "knative" else "Deployment")["spec"]["template"]
    return dict(spec["spec"])


def container(name: str) -> Json:
    """Return the only container."""
    [found] = pod(name)["containers"]
    return dict(found)


def settings_of(name: str, directory: Path) -> Any:
    """Return the settings that the service has in the pod, with one key and a redis."""
    text = one(name, "ConfigMap")["data"]["settings.toml"]
    (directory / "settings.toml").write_text(text, "utf-8")
    (directory / "settings.local.toml").write_text(key_stanza("aaaa1111", "x")[1], "utf-8")
    return load_settings(directory / "settings.toml")


def validate(given: Json) -> None:
    """Validate an object against the API; a Knative Service as the Deployment of its pod, too.

    Raises:
        ValidationError: it is not valid.

    """
    if given["apiVersion"].startswith("serving.knative.dev/"):
        assert mistakes_of(given) == []
        template = copy.deepcopy(given["spec"]["template"])
        for field in ("containerConcurrency", "timeoutSeconds", "responseStartTimeoutSeconds"):
            template["spec"].pop(field)
        for probe in ("readinessProbe", "livenessProbe"):  # Knative puts its own port there
            template["spec"]["containers"][0][probe]["httpGet"]["port"] = 8012
        labels = template["metadata"]["labels"]
        spec = {"selector": {"matchLabels": labels}, "template": template}
        given = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "x"},
            "spec": spec,
        }
    kubernetes_validate.validate(given, API, strict=True)


@every
def test_every_object_is_valid(name: str) -> None:
    """By the schemas of the API; and a misspelled key of the pod is not."""
    for each in RENDERED[name]:
        validate(each)
    wrong = copy.deepcopy(one(name, "Service" if name == "knative" else "Deployment"))
    wrong["spec"]["template"]["spec"]["containers"][0]["redinessProbe"] = {}
    with pytest.raises((kubernetes_validate.ValidationError, AssertionError)):
        validate(wrong)


@every
def test_kustomize_renders_the_same(name: str) -> None:
    """Where there is a kubectl; what the other tests read is from the renderer of the tests."""
    if (kubectl := shutil.which("kubectl")) is None:
        return
    said = subprocess.run(
        [kubectl, "kustomize", FOLDERS[name]], capture_output=True, text=True, check=True
    )
    theirs = {kustomize.identity(each): each for each in yaml.safe_load_all(said.stdout)}
    assert {kustomize.identity(each): each for each in RENDERED[name]} == theirs


@every
def test_the_pod_is_restricted(name: str) -> None:
    """As the namespace demands (pod security standard "restricted"), and no volume is writable."""
    security = {**pod(name).get("securityContext", {}), **container(name)["securityContext"]}
    assert security["runAsNonRoot"]
    assert security["runAsUser"] == 10001
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert security["allowPrivilegeEscalation"] is False
    assert security["readOnlyRootFilesystem"] is True
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert all(mount["readOnly"] for mount in container(name)["volumeMounts"])
    labels = one(name, "Namespace")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert one(name, "ServiceAccount")["automountServiceAccountToken"] is False
    assert pod(name)["serviceAccountName"] == one(name, "ServiceAccount")["metadata"]["name"]
    assert f"USER {security['runAsUser']}:" in (DEPLOY / "Containerfile").read_text("utf-8")


@every
def test_what_is_named_is_there(name: str, tmp_path: Path) -> None:
    """Volumes and ConfigMaps in the manifests, Secrets in the steps of the documentation."""
    volumes = {volume["name"]: volume for volume in pod(name)["volumes"]}
    assert volumes.keys() == {mount["name"] for mount in container(name)["volumeMounts"]}
    text = yaml.safe_dump_all(RENDERED[name])
    steps = (ROOT / "docs" / "kubernetes.md").read_text("utf-8")
    secrets = {*re.findall(r"secretName: (\S+)", text), "sealed-ocr-keys"}
    secrets |= set(re.findall(r"proxy-ssl-secret: \S+/(\S+)", text))
    for secret in secrets:
        assert re.search(rf"create secret \w+ {secret} ", steps), secret
    [settings] = [
        source["configMap"]["name"]
        for source in volumes["settings"]["projected"]["sources"]
        if "configMap" in source
    ]
    assert settings == one(name, "ConfigMap")["metadata"]["name"]
    variables = {each["name"]: each["value"] for each in container(name)["env"]}
    mounts = {mount["name"]: mount["mountPath"] for mount in container(name)["volumeMounts"]}
    assert variables["OCR_SETTINGS"] == f"{mounts['settings']}/settings.toml"
    assert variables["OCR_SECRETS_DIR"] == mounts["secrets"]
    server = settings_of(name, tmp_path).server
    [port] = container(name)["ports"]
    assert server.bind == ((f"127.0.0.1:{port['containerPort']}",) if name == "knative"
                           else (f"0.0.0.0:{port['containerPort']}",))  # fmt: skip
    if server.certfile is not None:
        assert Path(server.certfile).parent == Path(mounts["tls"])


@every
def test_the_settings_are_those_of_the_service(name: str, tmp_path: Path, monkeypatch: Any) -> None:
    """They load, with the variables of the overlay; each probe's path is a public function."""
    for each in container(name)["env"]:
        if "__" in each["name"]:
            monkeypatch.setenv(each["name"], each["value"])
    settings = settings_of(name, tmp_path)
    public = {each.path for each in settings.functions if each.public}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        if probe in container(name):
            assert container(name)[probe]["httpGet"]["path"] in public
    shipped = tomllib.loads((ROOT / "settings.toml").read_text("utf-8"))["functions"]
    by_path = {each["path"]: each for each in shipped}
    written = tomllib.loads(one(name, "ConfigMap")["data"]["settings.toml"])["functions"]
    for function in written:
        assert function.items() <= by_path[function["path"]].items()


@overlays
def test_labels_ports_and_names_agree(name: str) -> None:
    """Service, autoscaler, budget, policy and Ingress are of this Deployment."""
    labels = one(name, "Deployment")["spec"]["template"]["metadata"]["labels"]
    assert one(name, "Deployment")["spec"]["selector"]["matchLabels"] == labels
    service = one(name, "Service")["spec"]
    assert service["selector"] == labels
    assert one(name, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == labels
    assert one(name, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"] == labels
    for each in pod(name)["topologySpreadConstraints"]:
        assert each["labelSelector"]["matchLabels"] == labels
    target = one(name, "HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == kustomize.identity(one(name, "Deployment"))
    [port] = container(name)["ports"]
    assert service["ports"][0]["targetPort"] == port["name"]
    [allowed] = one(name, "NetworkPolicy")["spec"]["ingress"]
    assert allowed["ports"] == [{"port": port["containerPort"]}]
    [rule] = one(name, "Ingress")["spec"]["rules"]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    assert backend == {"name": "sealed-ocr", "port": {"name": service["ports"][0]["name"]}}
    origin = tomllib.loads(one(name, "ConfigMap")["data"]["settings.toml"])["plain_port"]
    assert origin == {"public_origin": f"https://{rule['host']}"}


@overlays
def test_the_grace_period_is_long_enough(name: str, tmp_path: Path) -> None:
    """For the drain and the requests; the drain is longer than the probe needs to fail."""
    settings = settings_of(name, tmp_path)
    drain_s, graceful_s = settings.shutdown.drain_s, settings.server.graceful_timeout
    assert pod(name)["terminationGracePeriodSeconds"] >= drain_s + graceful_s + STOPS_S
    probe = container(name)["readinessProbe"]
    assert drain_s > probe["periodSeconds"] * probe["failureThreshold"]
    [ocr] = [each for each in settings.functions if each.path == "/ocr"]
    assert graceful_s >= ocr.timeout_s
    hook = container(name).get("lifecycle", {}).get("preStop", {})
    assert hook == {}  # the service drains itself; a hook would have to be added to the sum


def test_knative_and_the_settings_agree(tmp_path: Path) -> None:
    """Slots, timeouts, loopback; and no function can be without a key behind the proxy."""
    settings = settings_of("knative", tmp_path)
    spec = pod("knative")
    engine = settings.engine
    assert spec["containerConcurrency"] <= engine.processes + engine.max_waiting
    [ocr] = [each for each in settings.functions if each.path == "/ocr"]
    assert spec["timeoutSeconds"] >= ocr.timeout_s + ocr.body_timeout_s
    assert spec["timeoutSeconds"] >= settings.server.graceful_timeout + STOPS_S
    assert settings.shutdown.drain_s == 0
    assert settings.proxy.trusts("127.0.0.1")
    assert not settings.server.has_tls
    text = (tmp_path / "settings.toml").read_text("utf-8")
    exempt = text.replace('path = "/ocr"\n', 'path = "/ocr"\nloopback_without_key = true\n')
    (tmp_path / "settings.toml").write_text(exempt, "utf-8")
    with pytest.raises(Exception, match="loopback_without_key = true with \\[proxy\\] trusted"):
        load_settings(tmp_path / "settings.toml")


def test_the_renderer_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    """It would render something else than kustomize."""
    (tmp_path / "kustomization.yaml").write_text("kind: Kustomization\nreplicas: []\n", "utf-8")
    with pytest.raises(NotImplementedError, match="replicas"):
        kustomize.build(tmp_path)
