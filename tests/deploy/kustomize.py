"""What `kustomize build` makes of a folder, as far as deploy/ uses it; anything else is refused.

Source: the field reference of kustomize, and the hash of its configMapGenerator (hasher.go).
"""

import copy
import hashlib
import json
from pathlib import Path
from typing import Any

Json = dict[str, Any]

KNOWN = {
    "apiVersion",
    "kind",
    "namespace",
    "resources",
    "patches",
    "images",
    "configMapGenerator",
    "generatorOptions",
}
_CLUSTER_WIDE = {"Namespace"}
_DIGITS = str.maketrans("013ae", "ghkmt")  # so that no hash spells a word


def build(folder: Path) -> list[Json]:
    """Return the objects of a folder with a kustomization.yaml.

    Raises:
        NotImplementedError: the folder uses what this does not render.

    """
    told = load(folder / "kustomization.yaml")[0]
    if unknown := set(told) - KNOWN:
        raise NotImplementedError(f"{folder}: {', '.join(sorted(unknown))}")
    objects: list[Json] = []
    for name in told.get("resources", ()):
        target = folder / name
        objects += build(target) if target.is_dir() else load(target)
    renamed = {}
    for generator in told.get("configMapGenerator", ()):
        made = _config_map(folder, generator)
        plain = made["metadata"]["name"]
        if not told.get("generatorOptions", {}).get("disableNameSuffixHash"):
            made["metadata"]["name"] = renamed[plain] = f"{plain}-{_hash(made)}"
        objects.append(made)
    for patch in told.get("patches", ()):
        for change in load(folder / patch["path"]):
            [target] = [one for one in objects if identity(one) == identity(change)]
            objects[objects.index(target)] = merged(target, change)
    objects = [_with_images(_with_names(one, renamed), told.get("images", ())) for one in objects]
    for one in objects:
        if one["kind"] not in _CLUSTER_WIDE and "namespace" in told:
            one["metadata"]["namespace"] = told["namespace"]
    return objects


def load(file: Path) -> list[Json]:
    """Return the documents of a YAML file."""
    import yaml  # noqa: PLC0415 - only the tests of manifests need it

    return [one for one in yaml.safe_load_all(file.read_text("utf-8")) if one]


def identity(one: Json) -> tuple[str, str]:
    """Return kind and name."""
    return one["kind"], one["metadata"]["name"]


def merged(base: Any, change: Any) -> Any:
    """Return a strategic merge: tables key by key, lists of named entries by their names."""
    if isinstance(base, dict) and isinstance(change, dict):
        result = copy.deepcopy(base)
        for key, value in change.items():
            result[key] = merged(base[key], value) if key in base else value
        return result
    if isinstance(base, list) and all(isinstance(one, dict) and "name" in one for one in change):
        names = [one["name"] for one in base]
        changes = {one["name"]: one for one in change}
        new = [one for one in change if one["name"] not in names]
        return new + [merged(one, changes.get(one["name"], {})) for one in base]
    return change


def _config_map(folder: Path, generator: Json) -> Json:
    if set(generator) != {"name", "files"}:
        raise NotImplementedError(f"{folder}: configMapGenerator with {sorted(generator)}")
    data = {name: (folder / name).read_text("utf-8") for name in generator["files"]}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": generator["name"]},
        "data": data,
    }


def _hash(made: Json) -> str:
    facts = {"data": made["data"], "kind": "ConfigMap", "name": ""}  # hashed before it has one
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for character in "<>&":  # as Go writes JSON
        text = text.replace(character, f"\\u{ord(character):04x}")
    return hashlib.sha256(text.encode()).hexdigest()[:10].translate(_DIGITS)


def _with_names(one: Any, renamed: dict[str, str]) -> Any:
    """Return an object whose volumes and variables name generated ConfigMaps by their new names."""
    if isinstance(one, list):
        return [_with_names(each, renamed) for each in one]
    if not isinstance(one, dict):
        return one
    result = {key: _with_names(value, renamed) for key, value in one.items()}
    for key in ("configMap", "configMapRef", "configMapKeyRef"):
        if key in result and result[key].get("name") in renamed:
            result[key]["name"] = renamed[result[key]["name"]]
    return result


def _with_images(one: Any, images: Any) -> Any:
    if isinstance(one, list):
        return [_with_images(each, images) for each in one]
    if not isinstance(one, dict):
        return one
    result = {key: _with_images(value, images) for key, value in one.items()}
    for image in images:
        if result.get("image") == image["name"]:
            result["image"] = f"{image['newName']}:{image['newTag']}"
    return result
