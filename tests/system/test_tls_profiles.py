"""What the running service agrees on with openssl's client, profile by profile."""

import json
import os
import subprocess
from collections.abc import Callable

import pytest

from tests.system.service import Service
from tls.profiles import RECOMMENDED

Start = Callable[..., Service]


def agrees(service: Service, *choices: str) -> bool:
    """Return whether openssl s_client completes a handshake with these options."""
    address = f"localhost:{service.ports['https']}"
    command = ["openssl", "s_client", "-connect", address, "-cipher", "ALL:@SECLEVEL=0", *choices]
    return subprocess.run(command, input=b"", capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(("profile", "older"), [("intermediate", True), ("modern", False)])
def test_a_profile_has_its_versions(start: Start, profile: str, *, older: bool) -> None:
    """TLS 1.3 always, 1.2 only where the profile has it, 1.1 and 1.0 never."""
    with start(local=f'[tls]\nprofile = "{profile}"\n') as service:
        assert agrees(service, "-tls1_3")
        assert agrees(service, "-tls1_2") == older
        assert not agrees(service, "-tls1_1")
        assert not agrees(service, "-tls1")


@pytest.mark.parametrize("group", ["X25519", "P-256", "P-384"])
def test_recommended_groups_are_accepted(service: Service, group: str) -> None:
    """Each of them alone will do."""
    assert agrees(service, "-groups", group)


@pytest.mark.parametrize("group", ["X448", "P-521"])
def test_other_groups_are_refused(service: Service, start: Start, group: str) -> None:
    """Refused; and, as the negative control, agreed where OPENSSL_CONF leaves OpenSSL as it is."""
    assert not agrees(service, "-groups", group)
    with start(environment={"OPENSSL_CONF": os.devnull}) as plain:
        assert agrees(plain, "-groups", group)


def test_what_is_in_force_is_logged(service: Service) -> None:
    """The profile, the OpenSSL, and the groups that it was left with."""
    [entry] = [json.loads(line) for line in service.log if '"tls"' in line]
    assert entry["profile"] == "intermediate"
    assert entry["openssl"].startswith("OpenSSL")
    assert set(entry["groups"]) <= set(RECOMMENDED)
