"""What Knative accepts of a Service: the fields of its API beside those of a pod.

Source: the Knative Serving API specification, and the field masks of its webhook
(pkg/apis/serving/fieldmask.go), without its feature flags.
"""

from typing import Any

_SPEC = {
    "containers",
    "volumes",
    "serviceAccountName",
    "imagePullSecrets",
    "enableServiceLinks",
    "containerConcurrency",
    "timeoutSeconds",
    "responseStartTimeoutSeconds",
    "idleTimeoutSeconds",
}
_CONTAINER = {
    *("name", "image", "imagePullPolicy", "command", "args", "env", "envFrom", "workingDir"),
    *("ports", "livenessProbe", "readinessProbe", "startupProbe", "resources", "securityContext"),
    *("terminationMessagePath", "terminationMessagePolicy", "volumeMounts"),
}
_SECURITY = {
    *("runAsUser", "runAsGroup", "runAsNonRoot", "readOnlyRootFilesystem", "capabilities"),
    *("allowPrivilegeEscalation", "seccompProfile"),
}
_VOLUMES = {"name", "secret", "configMap", "projected", "emptyDir"}
_ANNOTATIONS = {
    f"autoscaling.knative.dev/{name}"
    for name in ("min-scale", "max-scale", "initial-scale", "target", "metric", "window",
                 "scale-down-delay", "scale-to-zero-pod-retention-period")
}  # fmt: skip
_PORTS = {"http1", "h2c"}


def mistakes_of(service: dict[str, Any]) -> list[str]:
    """Return what is wrong with a Service, apart from the values of a pod's own fields."""
    template = service["spec"]["template"]
    spec = template["spec"]
    found = [f"spec.{each}" for each in set(service["spec"]) - {"template", "traffic"}]
    found += [f"annotation {each}" for each in template["metadata"].get("annotations", {})
              if each not in _ANNOTATIONS]  # fmt: skip
    found += [f"annotation {key}: {value} is not a text"
              for key, value in template["metadata"].get("annotations", {}).items()
              if not isinstance(value, str)]  # fmt: skip
    found += [f"pod {each}" for each in set(spec) - _SPEC]
    for volume in spec.get("volumes", ()):
        found += [f"volume {each}" for each in set(volume) - _VOLUMES]
    for container in spec["containers"]:
        found += [f"container {each}" for each in set(container) - _CONTAINER]
        found += [f"securityContext {each}"
                  for each in set(container.get("securityContext", {})) - _SECURITY]  # fmt: skip
        found += [f"port {port.get('name')}" for port in container.get("ports", ())
                  if port.get("name") not in _PORTS]  # fmt: skip
        if len(container.get("ports", ())) > 1:
            found.append("more than one port")
        found += [f"mount {mount['name']} is writable" for mount in container["volumeMounts"]
                  if not mount.get("readOnly")]  # fmt: skip
    if not 0 <= spec.get("containerConcurrency", 0) <= 1000:
        found.append("containerConcurrency")
    if spec.get("responseStartTimeoutSeconds", 0) > spec.get("timeoutSeconds", 300):
        found.append("responseStartTimeoutSeconds")
    return found
