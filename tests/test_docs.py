"""The documents: links lead somewhere, and what they name exists."""

import ast
import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from handlers.problem_table import PROBLEMS, REJECTED, ROUTING
from middleware.access_log import AccessLog
from middleware.request_context import request_context
from tests.asgi import call, read_all, scope_of

ROOT = Path(__file__).parents[1]
PACKAGES = "audit|handlers|metrics|middleware|model|server|service|settings|tls"
PAGES = ("*.md", "bench/*.md", "docs/**/*.md", "model/training/*.md")
NAMES = sorted(str(page.relative_to(ROOT)) for each in PAGES for page in ROOT.glob(each))
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)")
FILE = re.compile(r"`((?:[\w.-]+/)+[\w.-]+\.(?:py|md|toml|cnf|conf|txt|in|png|yaml))(?:::\w+)?`")
MODULE = re.compile(rf"`((?:{PACKAGES})(?:\.\w+)+)(?:[:(][^`]*)?`")
CLASS = re.compile(r"`((?:[A-Z][a-z0-9]+){2,})`")
TEST = re.compile(r"`(?:tests/[\w/]+\.py::)?(test_\w+)`")
CODE = re.compile(r"^\| (\d{3}) \| `(\w+)` \|", re.MULTILINE)
AT_RUN_TIME = ("tls/local/", "bundle/", "handlers/NAME.py", "handlers/hello.py")
HISTORY = ("CHANGELOG.md",)  # it names what is no more


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _prose(text: str) -> str:
    """Return a page without its blocks of code."""
    return re.sub(r"^ *```.*?^ *```$", "", text, flags=re.DOTALL | re.MULTILINE)


def _anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, made as on GitHub."""
    headings = re.findall(r"^#+ (.+)$", _prose(text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _broken_links(name: str, text: str) -> Iterator[str]:
    for target, anchor in LINK.findall(_prose(text)):
        file = (ROOT / name).parent / target if target else ROOT / name
        if not file.exists():
            yield target
        elif anchor and anchor not in _anchors(file.read_text(encoding="utf-8")):
            yield f"{target}#{anchor}"


def _exists(module: str) -> bool:
    """Whether a module, or a name in one, is there."""
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        path = ROOT.joinpath(*parts[:length])
        source = (
            path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"
        )
        if source.exists():
            rest = parts[length : length + 1]
            text = source.read_text(encoding="utf-8")
            return all(re.search(rf"\b{each}\b", text) for each in rest)
    return False


@pytest.mark.parametrize("name", NAMES)
def test_no_merge_is_unfinished(name: str) -> None:
    """No page has a conflict's markers."""
    assert not re.search(r"^(<{7}|={7}|>{7})( |$)", _text(name), re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    """Each relative link names a file that is there, and a heading in it."""
    assert list(_broken_links(name, _text(name))) == []


def test_a_broken_link_would_be_found() -> None:
    """The check above is not blind: a missing file and a missing heading."""
    text = "[1](missing.md), [2](README.md#no-such-heading), [3](README.md#two-commands)"
    assert list(_broken_links("README.md", text)) == ["missing.md", "README.md#no-such-heading"]


@pytest.mark.parametrize("name", [name for name in NAMES if name not in HISTORY])
def test_files_and_modules_exist(name: str) -> None:
    """Each path and module in backticks that looks like ours is there."""
    text = _text(name)
    files = [file for file in FILE.findall(text) if not file.startswith(("/", *AT_RUN_TIME))]
    tops = {entry.name for entry in ROOT.iterdir()}
    missing = [f for f in files if f.split("/")[0] in tops and not (ROOT / f).exists()]
    modules = [m for m in MODULE.findall(text) if not m.endswith((".py", ".toml"))]
    assert missing + [module for module in modules if not _exists(module)] == []


@pytest.mark.parametrize("name", [name for name in NAMES if name not in HISTORY])
def test_tests_exist(name: str) -> None:
    """Each test that a page names is there."""
    sources = "\n".join(file.read_text("utf-8") for file in ROOT.glob("tests/**/test_*.py"))
    assert set(TEST.findall(_text(name))) - set(re.findall(r"def (test_\w+)", sources)) == set()


def test_the_architecture_names_classes_that_exist() -> None:
    """A renamed class is renamed there, too."""
    sources = [
        file.read_text("utf-8") for file in ROOT.glob("*/**/*.py") if ".venv" not in str(file)
    ]
    known = set(re.findall(r"^class (\w+)", "\n".join(sources), re.MULTILINE))
    assert set(CLASS.findall(_text("docs/architecture.md"))) - known == set()


def test_the_architecture_names_every_file_of_the_service() -> None:
    """A new module gets its line in the map; training has its own, the sandbox is one line."""
    files = [f for package in PACKAGES.split("|") for f in (ROOT / package).rglob("[!_]*.py")]
    names = {
        str(f.relative_to(ROOT)) for f in files if f.parent.name not in {"training", "sandbox"}
    }
    assert names - set(FILE.findall(_text("docs/architecture.md"))) == set()


def test_what_the_architecture_points_to_is_there() -> None:
    """Each name in a row of "Where is" occurs in a file of that row."""
    section = _text("docs/architecture.md").partition("\n## Where is")[2].partition("\n## ")[0]
    for row in section.splitlines():
        files = FILE.findall(row)
        source = "".join(_text(file) for file in files)
        names = [name for name in re.findall(r"`([\w.]+)`", row) if name not in files]
        missing = [name for name in names if name.rpartition(".")[2] not in source]
        assert not files or not missing, row


def test_every_page_is_in_an_index() -> None:
    """docs/README.md, and those of docs/decisions and docs/zh, link to each page beside them."""
    for folder in (ROOT / "docs", ROOT / "docs" / "decisions", ROOT / "docs" / "zh"):
        linked = {target for target, _ in LINK.findall((folder / "README.md").read_text("utf-8"))}
        pages = {page.name for page in folder.glob("*.md")} - {"README.md"}
        assert pages - linked == set()


def test_decisions_are_numbered_and_indexed() -> None:
    """Each has its number, title, date and status, and its line in the index."""
    index = _text("docs/decisions/README.md")
    pages = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    assert [page.name[:4] for page in pages] == [f"{n:04}" for n in range(1, len(pages) + 1)]
    for page in pages:
        head = page.read_text("utf-8")
        found = re.match(r"# (\d{4})\. (.+)\n\nDate: (\d{4}-\d\d-\d\d).*\nStatus: (.+)\n", head)
        assert found is not None, page.name
        number, title, date, status = found.groups()
        assert number == page.name[:4]
        assert f"| [{number}]({page.name}) | {title} | {date} | {status} |" in index


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_readme_is_short(name: str) -> None:
    """What is longer belongs into docs/."""
    assert len(_text(name).splitlines()) <= 120


def test_the_error_codes_are_those_of_the_table() -> None:
    """docs/api.md lists each status and code that the service answers with, and no other."""
    problems = [*PROBLEMS.values(), *ROUTING.values(), REJECTED]
    listed = {(int(status), code) for status, code in CODE.findall(_text("docs/api.md"))}
    assert listed == {(problem.status, problem.code) for problem in problems}


def test_every_error_code_has_its_remedy() -> None:
    """docs/troubleshooting.md has each code that docs/api.md lists."""
    codes = {code for _, code in CODE.findall(_text("docs/api.md"))}
    assert codes - set(re.findall(r"`(\w+)`", _text("docs/troubleshooting.md"))) == set()


def _events(source: str) -> set[str]:
    """Return the events that a module logs; an event that is no literal, by its expression."""
    keywords = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.keyword)]
    return {
        ast.literal_eval(each.value) if isinstance(each.value, ast.Constant) else ast.dump(each)
        for each in keywords
        if each.arg == "event"
    }


def _rows(title: str) -> list[list[str]]:
    """Return the rows of a table of docs/troubleshooting.md, below its head."""
    section = _text("docs/troubleshooting.md").partition(f"\n### {title}\n")[2]
    lines = section.partition("\n#")[0].splitlines()
    rows = [line.strip("|").split(" | ") for line in lines if line.startswith("|")]
    return [[cell.strip(" |") for cell in row] for row in rows[2:]]


def test_the_log_events_are_those_of_the_code() -> None:
    """docs/troubleshooting.md lists each event that is logged, and no other."""
    sources = [f for package in PACKAGES.split("|") for f in (ROOT / package).rglob("*.py")]
    sources += [*ROOT.glob("*.py"), *(ROOT / "scripts").rglob("*.py")]
    logged = set().union(*(_events(f.read_text("utf-8")) for f in sources))
    assert {row[0].strip("`") for row in _rows("Events")} == logged


def test_a_log_event_that_is_not_listed_would_be_found() -> None:
    """Negative control: on one line or several, and one that is not written out."""
    source = 'log_event(\n    event="one", x=1\n)\nself.write(entry(event="two"))\nf(event=name)'
    assert {"one", "two"} < _events(source)
    assert len(_events(source)) == 3


def test_each_log_event_has_its_meaning_and_what_to_do() -> None:
    """In three columns, none of them empty."""
    assert [row for row in _rows("Events") if len(row) != 3 or not all(row)] == []


def test_the_fields_of_a_log_line_are_those_of_the_code() -> None:
    """docs/troubleshooting.md has each field of the access log, in its order, and no other."""
    log: list[str] = []
    traceparent = f"00-{'a' * 32}-{'b' * 16}-01"
    scope = scope_of(headers={"traceparent": traceparent})
    context = request_context(scope)
    context.denial_reason, context.traceback = "expired", ["KeyError"]
    context.previous_key = True
    asyncio.run(call(AccessLog(read_all, write=log.append), scope))
    listed = [re.findall(r"`(\w+)`", row[0]) for row in _rows("A line per response")]
    assert [field for fields in listed for field in fields] == list(json.loads(log[0]))
