"""Settings that change: what is named, and what a failed change leaves as it was."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import redis

from bench.processes import free_port
from middleware.counting.storage import StorageFailed
from middleware.endings import Ending
from service.middleware_stack import MiddlewareStack, Surroundings
from service.reload import SettingsReload, differences, key_changes
from service.retired_storage import RetiredStorages
from settings import ApiKey, Settings, load_settings
from tests.service.redis_servers import redis_server
from tls.watch import FileWatch

SHIPPED = Path(__file__).parents[2] / "settings.toml"


@pytest.fixture
def settings() -> Settings:
    """Load the settings as they are shipped."""
    return load_settings(SHIPPED, {})


def changed(**variables: str) -> Settings:
    """Return the shipped settings with variables in force."""
    return load_settings(SHIPPED, {f"OCR_{name}": value for name, value in variables.items()})


def test_differences_are_named_as_in_the_file(settings: Settings) -> None:
    """Keys of tables, tables of entries, Hypercorn's keys; nothing where nothing differs."""
    assert differences(settings, changed()) == {}
    other = changed(HSTS__MAX_AGE_S="9", ENGINE__THREADS="1", ENGINE__WARM="true")
    server = settings.server.model_copy(update={"backlog": 7})
    other = other.model_copy(update={"server": server, "functions": settings.functions[:1]})
    assert differences(settings, other) == {
        "server": ["backlog"],
        "hsts": ["[hsts] max_age_s"],
        "engine": ["[engine] threads", "[engine] warm"],
        "functions": ["[[functions]]"],
    }


def _key(key_id: str, name: str = "someone") -> ApiKey:
    return ApiKey(id=key_id, name=name, sha256="0" * 64, scopes=("ocr",))


def test_changed_keys_are_listed_by_their_ids() -> None:
    """Each once, sorted; a key that stays as it was is not listed."""
    old = [_key("gone"), _key("same"), _key("edit", "before")]
    new = [_key("edit", "after"), _key("same"), _key("new2"), _key("new1")]
    assert key_changes(old, new) == {
        "added": ["new1", "new2"],
        "changed": ["edit"],
        "removed": ["gone"],
    }
    assert key_changes(new, new) == {"added": [], "changed": [], "removed": []}


def reload_with(
    settings: Settings, directory: Path, *, failing: bool
) -> tuple[SettingsReload, MiddlewareStack]:
    """Return a reload to another HSTS age, and the stack in force before it."""
    surroundings = Surroundings(directory, print, clients=None, development_certificate=True)

    def build(new: Settings, before: MiddlewareStack | None) -> MiddlewareStack:
        if before is not None and failing:
            raise OSError("disk full")
        return MiddlewareStack(new, surroundings, before)

    reload = SettingsReload(
        settings,
        FileWatch(list),
        read=lambda: changed(HSTS__MAX_AGE_S="9"),
        build=build,
    )
    return reload, reload.stack


def test_a_reload_replaces_the_whole_app(settings: Settings, tmp_path: Path) -> None:
    """The next request meets another app; the counts of the limits go on."""
    reload, stack = reload_with(settings, tmp_path, failing=False)
    app = reload.app
    reload.reload()
    assert reload.problem is None
    assert reload.app is not app
    assert reload.settings.hsts.max_age_s == 9
    assert reload.stack.quota.storage is stack.quota.storage
    assert reload.stack.quota.endings is stack.quota.endings


@pytest.mark.anyio
async def test_what_is_not_given_back_is_counted(settings: Settings, tmp_path: Path) -> None:
    """In the metrics of the service."""
    surroundings = Surroundings(tmp_path, print, clients=None, development_certificate=True)
    endings = MiddlewareStack(settings, surroundings).quota.endings

    async def end() -> None:
        raise StorageFailed("ConnectionError")

    endings.add(Ending("pages", 3, end))
    await endings.aclose(0)
    counted = {
        (each.name, sample.labels["what"]): sample.value
        for each in surroundings.counts.families()
        for sample in each.samples
        if each.name.endswith("limit_not_given_back")
    }
    assert [value for (_, what), value in counted.items() if what == "pages"] == [3]


def test_another_storage_has_its_own_endings(settings: Settings, tmp_path: Path) -> None:
    """What could not be ended in one that is away does not hold up what ends in the new one."""
    surroundings = Surroundings(tmp_path, print, clients=None, development_certificate=True)
    before = MiddlewareStack(settings, surroundings)
    other = changed(LIMITS__STORAGE="async+redis://127.0.0.1:9")
    after = MiddlewareStack(other, surroundings, before)
    assert after.quota.storage is not before.quota.storage
    assert after.quota.endings is not before.quota.endings


@asynccontextmanager
async def _counting_in_redis(
    directory: Path,
) -> AsyncIterator[tuple[SettingsReload, Callable[[], int]]]:
    """Yield a reload to another storage than a redis, and the number of connections to that."""
    port = free_port()
    surroundings = Surroundings(directory, print, clients=None, development_certificate=True)
    with (
        redis_server("--port", str(port), "--save", "", directory=directory, port=port),
        redis.Redis(port=port) as asked,
    ):
        reload = SettingsReload(
            changed(LIMITS__STORAGE=f"async+redis://127.0.0.1:{port}"),
            FileWatch(list),
            read=changed,
            build=lambda new, before: MiddlewareStack(new, surroundings, before),
        )
        await reload.stack.quota.storage.check()
        yield reload, lambda: len(asked.client_list()) - 1
        await reload.aclose()


async def _none(connections: Callable[[], int]) -> None:
    async with asyncio.timeout(30):
        while connections():  # noqa: ASYNC110 - it is asked, not told
            await asyncio.sleep(0.02)


@pytest.mark.anyio
async def test_connections_to_a_storage_that_was_replaced_are_closed(tmp_path: Path) -> None:
    """When the last request that uses it has ended, and not before."""
    async with _counting_in_redis(tmp_path) as (reload, connections):
        seen: list[int] = []

        async def send(_message: object) -> None:
            reload.reload()
            await asyncio.sleep(0.1)
            seen.append(connections())

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": b"", "more_body": False}

        scope = {
            "type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b"",
            "scheme": "https", "http_version": "2", "client": ("192.0.2.1", 1), "state": {},
        }  # fmt: skip
        storage = reload.stack.quota.storage
        await reload.app(scope, receive, send)
        assert reload.stack.quota.storage is not storage
        assert seen
        assert {*seen} == {1}
        await _none(connections)


@pytest.mark.anyio
async def test_a_replaced_storage_is_not_kept_for_ever(tmp_path: Path) -> None:
    """A request that does not end holds it for a time; the end of the service waits for none."""
    async with _counting_in_redis(tmp_path) as (reload, connections):
        before, retired = reload.stack, RetiredStorages()
        with before.users.one_more():
            retired.add(before.quota, before.users, within_s=0.1)
            await _none(connections)
            await before.quota.storage.check()
            reload.reload()
            await asyncio.sleep(0.1)
            assert connections() == 1
            await reload.aclose()
            await _none(connections)


def test_a_change_that_fails_halfway_changes_nothing(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """App, middleware stack and settings stay, and the reason is kept and logged."""
    reload, stack = reload_with(settings, tmp_path, failing=True)
    app = reload.app
    reload.reload()
    assert reload.problem == "disk full"
    assert (reload.settings, reload.app, reload.stack) == (settings, app, stack)
    logged = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (logged["event"], logged["error"]) == ("settings_not_loaded", "disk full")
