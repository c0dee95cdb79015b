"""The system call filter that Podman and Buildah bring, and Docker in the main, put in force here.

Source: the profile's own format, github.com/opencontainers/runtime-spec's config-linux.md.
"""

import json
from pathlib import Path
from typing import Any

from tests.deploy.filters import ALLOW, Comparison, Filter, refuse

PROFILE = Path("/usr/share/containers/seccomp.json")
# As libseccomp counts them, from 1.
_OPERATORS = ("NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ")


def load(profile: Path = PROFILE) -> Filter:
    """Return the filter for a container without a single capability, on x86_64."""
    told = json.loads(profile.read_text("utf-8"))
    filtering = Filter(refuse(told["defaultErrnoRet"]))
    for rule in told["syscalls"]:
        if rule["action"] != "SCMP_ACT_ALLOW" or not _meant(rule):
            continue  # what is refused in so many words is refused anyway
        comparisons = [
            Comparison(one["index"], _operator(one["op"]), one["value"], one["valueTwo"])
            for one in rule.get("args") or ()
        ]
        for name in rule["names"]:
            filtering.add(ALLOW, name, *comparisons)
    return filtering


def _operator(name: str) -> int:
    return 1 + _OPERATORS.index(name.removeprefix("SCMP_CMP_"))


def _meant(rule: dict[str, Any]) -> bool:
    includes = rule.get("includes") or {}
    return not includes.get("caps") and "amd64" in includes.get("arches", ["amd64"])
