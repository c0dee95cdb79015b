"""Whether a service starts where the worker processes cannot be sandboxed."""

import pytest

from service.sandbox import SandboxError, sandbox_warning


@pytest.mark.parametrize("require", ["public", "always", "never"])
@pytest.mark.parametrize("public", [[], ["0.0.0.0:8443"]])
def test_with_seccomp_there_is_no_warning(require: str, public: list[str]) -> None:
    """Whatever [sandbox] require says."""
    assert sandbox_warning(available=True, require=require, reachable_by=public) is None


@pytest.mark.parametrize(
    ("require", "public"),
    [("always", []), ("always", ["0.0.0.0:8443"]), ("public", ["0.0.0.0:8443"])],
)
def test_without_seccomp_it_does_not_start(require: str, public: list[str]) -> None:
    """The refusal names what is missing, the public address and the remedy."""
    with pytest.raises(SandboxError) as refusal:
        sandbox_warning(available=False, require=require, reachable_by=public)
    assert "seccomp" in str(refusal.value)
    assert 'require = "never"' in str(refusal.value)
    assert all(address in str(refusal.value) for address in public)


@pytest.mark.parametrize(
    ("require", "public"), [("public", []), ("never", []), ("never", ["0.0.0.0:8443"])]
)
def test_without_seccomp_it_warns(require: str, public: list[str]) -> None:
    """Where no other machine reaches it, or the operator accepts the risk."""
    warning = sandbox_warning(available=False, require=require, reachable_by=public)
    assert warning is not None
    assert "seccomp" in warning
