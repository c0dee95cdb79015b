"""The probes find what an untested library lacks, and the declarations cover all that is used."""

import ast
import inspect
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import hypercorn.asyncio.run
import pytest
from hypercorn.protocol.h2 import H2Protocol
from hyperframe.frame import DataFrame

import server.install
from server import probes
from server.install import ProbeError, ServerOptions

FOLDER = Path(server.install.__file__).parent
DECLARED = [(module, place) for module in probes.MODULES for place in probes.uses_of(module)]
IMPORTED = [(module, place) for module in probes.MODULES for place in probes.imports_of(module)]
NAMED = [(module, place) for module, place in IMPORTED if not place.endswith(":")]
PRIVATE = re.compile(r"_[^_].*")


def run(script: str) -> "subprocess.CompletedProcess[str]":
    """Run a script in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )


def owner_of(place: str) -> tuple[Any, str]:
    """Return the module or class that has the name, and the name."""
    library, _, path = place.partition("(")[0].partition(":")
    *parents, name = path.split(".")
    owner: Any = import_module(library)
    for parent in parents:
        owner = getattr(owner, parent)
    return owner, name


@pytest.fixture
def untested(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the installed Hypercorn count as untested."""
    monkeypatch.setitem(server.install.TESTED, "Hypercorn", frozenset({"0.1"}))
    for owner, name in ((hypercorn.asyncio.run, "worker_serve"), (DataFrame, "_body_repr")):
        monkeypatch.setattr(owner, name, getattr(owner, name))  # put back afterwards


def test_everything_is_found_here() -> None:
    """The installed versions are those that the server was tested with."""
    assert server.install._installed().items() <= {
        (name, version) for name, versions in server.install.TESTED.items() for version in versions
    }
    probes.check_all(probes.imports_of)
    probes.check_all(probes.uses_of)


@pytest.mark.usefixtures("untested")
@pytest.mark.parametrize(("module", "place"), sorted({*DECLARED, *NAMED}))
def test_a_missing_name_refuses_the_start(
    monkeypatch: pytest.MonkeyPatch, module: str, place: str
) -> None:
    """Each name that is declared or imported, taken away: the message names it and its module."""
    owner, name = owner_of(place)
    if hasattr(owner, name):
        monkeypatch.delattr(owner, name)
    else:  # an attribute that the constructor sets
        source = inspect.getsource(owner.__init__).replace(f"self.{name}", "self.other")
        real = inspect.getsource
        monkeypatch.setattr(
            inspect, "getsource", lambda found: source if found is owner.__init__ else real(found)
        )
    modules = "|".join(sorted({one for one, where in DECLARED + IMPORTED if where == place}))
    assert module in modules.split("|")
    name = r"\w+" if name == "__init__" else name  # which sets others that are missing, too
    with pytest.raises(ProbeError, match=rf"^({modules}): .*[:.]{name} (is missing|has other)"):
        server.install.install(ServerOptions())


@pytest.mark.usefixtures("untested")
def test_other_parameters_refuse_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A method that is overridden, and one that is called."""
    monkeypatch.setattr("hypercorn.protocol.h2.H2Protocol._send_data", lambda: None)
    with pytest.raises(ProbeError, match=r"send_timeouts: .*_send_data has other parameters"):
        server.install.install(ServerOptions())
    monkeypatch.undo()
    monkeypatch.setitem(server.install.TESTED, "Hypercorn", frozenset({"0.1"}))
    monkeypatch.setattr("hypercorn.protocol.h11.H11Protocol._close_stream", lambda: None)
    with pytest.raises(ProbeError, match=r"http1: .*_close_stream has other parameters"):
        server.install.install(ServerOptions())


@pytest.mark.parametrize("module", probes.MODULES)
def test_every_override_is_marked(module: str) -> None:
    """Every method that overrides a library's; constructors only if they repeat its parameters."""
    for ours in probes.classes_of(import_module(f"server.{module}")):
        for name, member in vars(ours).items():
            overrides = probes.library_class(ours, name) is not None
            if not overrides or name.startswith("__") or not callable(member):
                continue
            assert probes.is_override(member), f"{ours.__qualname__}.{name}"


def private_uses(module: str) -> set[str]:
    """Return the private names that a module uses of other objects, or inherits from a library."""
    loaded = import_module(f"server.{module}")
    inherited = {
        name
        for ours in probes.classes_of(loaded)
        for name in dir(ours)
        if PRIVATE.fullmatch(name) and probes.library_class(ours, name)
    }
    found = set()
    for node in ast.walk(ast.parse((FOLDER / f"{module}.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and probes._library(node.module or "") != "server":
            found |= {one.name for one in node.names if PRIVATE.fullmatch(one.name)}
        if not isinstance(node, ast.Attribute) or not PRIVATE.fullmatch(node.attr):
            continue
        own = isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}
        if not own or node.attr in inherited:
            found.add(node.attr)
    return found


@pytest.mark.parametrize("module", probes.MODULES)
def test_every_private_name_is_declared(module: str) -> None:
    """In USES, or by an override of it."""
    declared = {
        place.partition("(")[0].rpartition(".")[2].rpartition(":")[2]
        for place in probes.uses_of(module)
    }
    assert private_uses(module) <= declared


def test_the_search_for_private_names_finds_some() -> None:
    """It is not blind: these are known."""
    assert private_uses("patches") == {"_body_repr"}
    assert private_uses("supervisor") == {"_kwargs", "_exit"}
    assert "_close_stream" in private_uses("http1")
    assert "_flush" in private_uses("send_timeouts")


@pytest.mark.parametrize("module", probes.MODULES)
def test_no_attribute_of_a_library_is_overwritten(module: str) -> None:
    """A subclass's private attribute does not have the name of one that its base sets."""
    for ours in probes.classes_of(import_module(f"server.{module}")):
        bases = [
            base for base in ours.__mro__ if probes._library(base.__module__) in probes.LIBRARIES
        ]
        if not bases or issubclass(ours, BaseException):
            continue
        theirs = {name for base in bases for name in assigned(inspect.getsource(base))}
        assert assigned(inspect.getsource(ours)) & theirs <= {"stream"}


def assigned(source: str) -> set[str]:
    """Return the attributes that a class's source assigns to itself."""
    return set(re.findall(r"\bself\.(\w+)\b(?:: [^=\n]+)? = ", source))


def test_behaviour_probe_fails_on_stock() -> None:
    """The in-memory exchange finds what a stock Hypercorn does to an early response."""
    probes.check_behaviour()
    with pytest.raises(ProbeError, match="http2: an early response"):
        probes.check_behaviour(H2Protocol)


@pytest.mark.parametrize("name", ["Hypercorn", "h2", "Python"])
def test_an_untested_version_is_named_and_probed(name: str) -> None:
    """A version nobody tested is named in a warning, and served if the probes pass."""
    done = run(
        f"import server.install as i; i.TESTED[{name!r}] = frozenset({{'0.1'}}); "
        "i.check_all = lambda find: print(find.__name__); "
        "i.install(i.ServerOptions()); print('installed')"
    )
    assert f"{name} " in done.stderr
    assert "has not been tested (tested: 0.1)" in done.stderr
    assert done.stdout == "imports_of\nuses_of\ninstalled\n"


def test_a_missing_class_is_found_before_it_is_imported() -> None:
    """In a process that has imported none of the server's modules yet."""
    done = run(
        "import hypercorn.protocol.h2 as h; del h.StreamBuffer; "
        "import server.install as i; i.TESTED['h2'] = frozenset({'0.1'}); "
        "i.install(i.ServerOptions())"
    )
    assert "ProbeError: send_buffer: hypercorn.protocol.h2:StreamBuffer is missing" in done.stderr


def test_a_later_installation_replaces_an_earlier_one() -> None:
    """Their limits are their own."""
    done = run(
        "import hypercorn.asyncio.run as run, server.install as i\n"
        "a = i.install(i.ServerOptions(max_connections=1))\n"
        "b = i.install(i.ServerOptions(max_connections=2))\n"
        "print(run.worker_serve.__self__ is b._server, a._server.options.max_connections)"
    )
    assert done.stdout == "True 1\n", done.stderr
