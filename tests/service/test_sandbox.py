"""Whether a service starts where the processes that read cannot be locked."""

import pytest

from service.sandbox import SandboxError, sandbox_warning


@pytest.mark.parametrize("require", ["public", "always", "never"])
@pytest.mark.parametrize("public", [[], ["0.0.0.0:8443"]])
def test_with_locks_there_is_nothing_to_say(require: str, public: list[str]) -> None:
    """Whatever the settings."""
    assert sandbox_warning(available=True, require=require, reachable_by=public) is None


@pytest.mark.parametrize(
    ("require", "public"),
    [("always", []), ("always", ["0.0.0.0:8443"]), ("public", ["0.0.0.0:8443"])],
)
def test_without_locks_it_does_not_start(require: str, public: list[str]) -> None:
    """The refusal says what is missing, for whom, and the mend."""
    with pytest.raises(SandboxError) as refusal:
        sandbox_warning(available=False, require=require, reachable_by=public)
    assert "seccomp" in str(refusal.value)
    assert 'require = "never"' in str(refusal.value)
    assert all(address in str(refusal.value) for address in public)


@pytest.mark.parametrize(
    ("require", "public"), [("public", []), ("never", []), ("never", ["0.0.0.0:8443"])]
)
def test_without_locks_it_warns(require: str, public: list[str]) -> None:
    """Where nobody else reaches it, or the operator says so."""
    warning = sandbox_warning(available=False, require=require, reachable_by=public)
    assert warning is not None
    assert "seccomp" in warning
