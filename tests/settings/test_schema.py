"""Our tables: what they take, and what is checked across them."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import SecretStr, ValidationError

from settings.schema import Settings
from settings.tables import HSTS_PRELOAD_MIN_S, Hsts, Limits
from tests.settings.conftest import KEY, MINIMAL, Load, Refuse


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ("[tls]\nmax_conections = 1", "[tls] max_conections: is not known here; did you mean max_"),
        ("[hsts]\nmax_age = 1", "[hsts] max_age: is not known here; did you mean max_age_s?"),
        (KEY + "expire = 2027-01-01", "[[keys]] aaaa expire: is not known here; did you mean exp"),
        ("timeouts_s = 1", "[[functions]] /ocr timeouts_s: is not known here; did you mean timeo"),
        ("[tls]\nx = {y = 1}", "[tls] x: is not known here; there are "),
        (
            "[tls]\nmax_connections = 'many'",
            "[tls] max_connections: 'many' is text; a number is meant",
        ),
        (
            "[engine]\nmax_waiting = 'auto'",
            "[engine] max_waiting: 'auto' is text; a number is meant",
        ),
        (
            "[tls.max_connections]\nx = 1",
            "[tls] max_connections: Input should be a valid int",
        ),
        ("[limits]\nper_key = 60", "[limits] per_key: Input should be a valid string"),
        ("[limits]\non_storage_failure = 'ask'", "[limits] on_storage_failure: Input should be"),
        ("[engine]\nidle_s = -1", "[engine] idle_s: Input should be greater than or equal to 0"),
        ("[model]\nmax_pixels = 0", "[model] max_pixels: "),
        ("methods = []", "[[functions]] /ocr: methods is empty"),
        ("methods = ['BREW']", "[[functions]] /ocr methods 0: Input should be 'GET', "),
        ("timeout_s = 1", "[[functions]] /ocr: body_timeout_s is longer than timeout_s"),
        ("limits = ['often']", "[[functions]] /ocr limits 0: 'often' is not like \"60/minute\""),
        (KEY.replace("0" * 64, "0" * 63), "[[keys]] aaaa sha256: "),
        (KEY.replace("aaaa", "AAAA"), "[[keys]] AAAA id: "),
        (KEY.replace('["ocr"]', "[]"), "[[keys]] aaaa scopes: "),
        (KEY.replace("accounting", "a\\nb"), "[[keys]] aaaa name: "),
        (KEY.replace('id = "aaaa"', ""), "[[keys]] entry 1 id: is missing"),
    ],
)
def test_a_mistake_is_named_with_file_and_key(tables: str, said: str, refuse: Refuse) -> None:
    """Misspelled keys, wrong types and values out of range are told by place and name."""
    assert f"settings.toml: {said}" in refuse(tables)


def test_every_mistake_is_told_at_once(refuse: Refuse) -> None:
    """One start shows them all, a line each, each with the file it stands in."""
    message = refuse("[tls]\nx = 1", local="[hsts]\ny = 1", env={"OCR_LIMITS__Z": "1"})
    assert [line.partition(":")[0] for line in message.splitlines()] == [
        "settings.toml",
        "settings.local.toml",
        "the environment",
    ]


def test_a_function_is_needed(refuse: Refuse) -> None:
    """A service without functions serves nothing."""
    message = refuse(main=MINIMAL.partition("[[")[0])
    assert message == "settings.toml: [functions]: is missing"


def test_a_key_without_sources_is_refused_by_its_file(refuse: Refuse) -> None:
    """A fault of a [[keys]] entry is blamed on the file that entry came from."""
    assert refuse(KEY, local=KEY.replace("aaaa", "bbbb").replace("0", "x")).startswith(
        "settings.local.toml: [[keys]] bbbb sha256"
    )


@pytest.mark.parametrize(
    "limit", ["", "0/minute", "-1/minute", "1/minute;2/hour", "1/minute,2/hour", "1", "1/fortnight"]
)
def test_a_limit_that_is_none_is_refused(limit: str) -> None:
    """One limit, of at least one request, in the notation the file explains."""
    with pytest.raises(ValidationError):
        Limits(per_key=limit)


@pytest.mark.parametrize("limit", ["60/minute", "10 per 5 minutes", "1/second", "5 per day"])
def test_a_limit_is_taken_as_written(limit: str) -> None:
    """Both notations of the file are read."""
    assert Limits(per_key=limit).per_key == limit


def test_memory_is_not_shared_between_workers(load: Load, refuse: Refuse) -> None:
    """Two workers would each count for themselves, so they need a storage they share."""
    message = refuse(top="workers = 2")
    assert "workers = 2 would each count the rate limits for itself" in message
    assert "async+redis://" in message
    for workers in (0, 1):
        load(top=f"workers = {workers}")
    shared = load("[limits]\nstorage = 'async+redis://127.0.0.1'", top="workers = 2")
    assert not shared.limits.counts_per_process


@pytest.mark.parametrize("include", [False, True])
@pytest.mark.parametrize("max_age_s", [0, HSTS_PRELOAD_MIN_S - 1, HSTS_PRELOAD_MIN_S])
def test_preload_needs_what_the_list_needs(max_age_s: int, include: bool) -> None:  # noqa: FBT001
    """Browsers' preload list takes a year and subdomains; less is refused here already."""
    if include and max_age_s == HSTS_PRELOAD_MIN_S:
        hsts = Hsts(preload=True, include_subdomains=True, max_age_s=max_age_s)
        expected = f"max-age={max_age_s}; includeSubDomains; preload"
        assert hsts.header(development=False) == expected
    else:
        with pytest.raises(ValidationError, match="preload = true also needs"):
            Hsts(preload=True, include_subdomains=include, max_age_s=max_age_s)


def test_hsts_is_short_with_a_development_certificate() -> None:
    """It pins every port of localhost, so it lasts a minute, without subdomains or preload."""
    hsts = Hsts(preload=True, include_subdomains=True)
    assert hsts.header(development=True) == "max-age=60"
    assert Hsts().header(development=False) == "max-age=63072000"


@pytest.mark.parametrize(("table", "name"), [("functions", "/ocr"), ("keys", "aaaa")])
def test_twins_are_refused(table: str, name: str, refuse: Refuse) -> None:
    """A path or id that stands twice would leave one entry without effect."""
    twice = {"functions": "\n" + MINIMAL[MINIMAL.index("[[") :], "keys": KEY + KEY}[table]
    assert f"[[{table}]] {'path' if table == 'functions' else 'id'} '{name}' appears twice" in (
        refuse(twice)
    )


def test_a_limit_of_a_key_names_a_function(load: Load, refuse: Refuse) -> None:
    """A misspelled path would leave the key with the default limit."""
    message = refuse(KEY + 'limits = { "/ocrs" = "9/minute" }')
    assert "[[keys]] aaaa: limits names '/ocrs', which is no path" in message
    limits = 'limits = { "/ocr" = "9/minute", "*" = "99/minute" }'
    assert load(KEY + limits).keys[0].limits == {"/ocr": "9/minute", "*": "99/minute"}


def test_a_scope_names_a_function(refuse: Refuse) -> None:
    """A scope nobody asks for is a misspelling; "public" needs no key and is none."""
    for scope in ("orc", "public"):
        message = refuse(KEY.replace('["ocr"]', f'["ocr", "{scope}"]'))
        assert f"asks for the scope '{scope}'; those that are asked for: ocr" in message


def test_a_date_begins_at_midnight_utc(load: Load) -> None:
    """A plain date is read as the moment it begins, in UTC."""
    (key,) = load(KEY + "not_before = 2026-01-01\nexpires = 2027-01-01T02:00:00+02:00").keys
    assert key.not_before == datetime(2026, 1, 1, tzinfo=UTC)
    assert key.expires == datetime(2027, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    assert key.expires == datetime(2027, 1, 1, tzinfo=UTC)


def test_a_time_without_a_zone_is_refused(refuse: Refuse) -> None:
    """A local time would mean another moment on another machine."""
    message = refuse(KEY + "expires = 2027-01-01T00:00:00")
    assert "[[keys]] aaaa expires: needs a time zone: 2027-01-31T00:00:00Z" in message


@pytest.mark.parametrize("expires", ["2026-01-01", "2025-12-31"])
def test_a_key_that_is_never_valid_is_refused(expires: str, refuse: Refuse) -> None:
    """A key that ends before it begins is a mistake."""
    message = refuse(KEY + f"not_before = 2026-01-01\nexpires = {expires}")
    assert "[[keys]] aaaa: not_before is not earlier than expires" in message


@pytest.mark.parametrize(
    "origin",
    ["http://localhost", "https://h/path", "https://h?q", "https://h#f", "https://u:p@h", "h:8443"],
)
def test_the_public_origin_is_an_https_origin(origin: str, refuse: Refuse) -> None:
    """It becomes a Location header, so it is scheme, host and port alone."""
    message = refuse(f"[plain_port]\npublic_origin = '{origin}'")
    assert "settings.toml: [plain_port] public_origin: " in message


def test_the_origin_has_no_slash_at_its_end(load: Load) -> None:
    """The path of a redirect follows it directly."""
    settings = load("[plain_port]\npublic_origin = 'https://ocr.example.org/'")
    assert settings.plain_port.origin == "https://ocr.example.org"


@pytest.mark.parametrize("scheme", ["memory", "redis", "async+memcached", "async+redis+x", ""])
def test_other_storages_are_refused(scheme: str, refuse: Refuse) -> None:
    """Only storages that count a moving window without blocking the loop are offered."""
    assert "[limits]: storage must begin with one of async+memory://, async+redis://" in refuse(
        f"[limits]\nstorage = '{scheme}://h'"
    )


@pytest.mark.parametrize(
    "mistake",
    [
        {"tables": "[limits]\nstorage = 'redis://:hunter2@h'"},
        {"tables": "[limits]\nstorage = 'async+redis://:hunter2@h'\nx = 1"},
        {"tables": "[limits]\nstorge = 'async+redis://:hunter2@h'"},
        {"tables": "[limits]\nstorage = ['hunter2']"},
        {"tables": "[limits]\nstorage = {hunter2 = 'x'}"},
        {"tables": "[limits]\nstorage = 'hunter2"},
        {"tables": "[limits]\nstorage = 'async+redis://:hunter2@h'\n[hsts]\npreload = true"},
        {"local": "storage = 'hunter2'"},
        {"env": {"OCR_LIMITS__STORAGE": "hunter2"}},
        {"env": {"OCR_LIMITS__STORGE": "hunter2"}},
        {"env": {"OCR_STORAGE": "hunter2"}},
        {"env": {"OCR_LIMITS": "hunter2"}},
        {"env": {"OCR_LIMITS": '"hunter2"'}},
        {"env": {"OCR_LIMITS": '{"storage": "hunter2"}'}},
        {"env": {"OCR_BIND": "hunter2"}},
        {"secrets": {"limits__storage": "hunter2"}},
        {"secrets": {"limits": "hunter2"}},
    ],
)
def test_no_secret_is_ever_told(mistake: dict[str, str], refuse: Refuse) -> None:
    """A storage's password does not stand in the refusal, whatever is wrong with it."""
    assert "hunter2" not in refuse(mistake.pop("tables", ""), **mistake)


def test_the_storage_does_not_show_in_a_log(load: Load) -> None:
    """Printing the settings prints no password."""
    settings = load("[limits]\nstorage = 'async+redis://:hunter2@h'")
    assert isinstance(settings.limits.storage, SecretStr)
    assert not re.search("hunter2", f"{settings} {settings!r} {settings.limits.model_dump()}")


def test_settings_are_frozen(load: Load) -> None:
    """Neither the whole nor a table changes once it is read."""
    settings = load(KEY)
    for part, name in (
        (settings, "keys"),
        (settings.limits, "per_key"),
        (settings.keys[0], "name"),
        (settings.functions[0], "path"),
    ):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(part, name, None)


def test_settings_read_no_environment_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what was merged counts: pydantic-settings' own sources are off."""
    monkeypatch.setenv("OCR_LIMITS__PER_KEY", "1/day")
    server = {"certfile": "c", "keyfile": "k", "include_server_header": False}
    function = {"path": "/x", "handler": "a:b", "scope": "public"}
    settings = Settings(server=server, functions=[function])  # type: ignore[arg-type]
    assert settings.limits.per_key == "60/minute"
    assert settings.functions[0].public


CERTIFIED = KEY.replace("sha256 =", 'certificate_subject = "CN=x"\nsha256 =')
MUTUAL = '[tls]\nclient_certificates = "optional"\nclient_ca = "ca.pem"\n'


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        (
            "[proxy]\ntrusted = ['10.0.0.1/8']",
            "[proxy] trusted 0: '10.0.0.1/8': the network is '10.",
        ),
        ("[proxy]\ntrusted = ['0.0.0.0/0']", "[proxy] trusted 0: '0.0.0.0/0' is half the world"),
        ("[proxy]\ntrusted = ['128.0.0.0/1']", "trusted 0: '128.0.0.0/1' is half the world"),
        ("[proxy]\ntrusted = ['::/0']", "[proxy] trusted 0: '::/0' is half the world"),
        (
            KEY.replace("sha256 =", "certificate_subject = 'ledger'\nsha256 ="),
            "is not written like",
        ),
        (KEY + "certificate_subject = 'CN=a, O=b'", "'CN=a, O=b' is not written like"),
        (KEY + "certificate_subject = '2.5.4.3=a'", "did you mean 'CN=a'?"),
        ('[limits]\nstorage = "async+redis://:a/b@host:1"', "[limits]: storage is no URL"),
        ("[proxy]\ntrusted = ['proxy.lan']", "[proxy] trusted 0: 'proxy.lan' is no network"),
        ("[proxy]\nheader = 'x-real-ip'", "[proxy] header: Input should be 'forwarded' or"),
        ("[proxy]\nclient_certificate_header = 'X Y'", "[proxy] client_certificate_header: "),
        (
            "[proxy]\nclient_certificate_header = 'client-cert'",
            "[proxy]: client_certificate_header is believed of nobody while trusted is empty",
        ),
        (
            KEY + "[proxy]\ntrusted = ['unix']\nclient_certificate_header = 'client-cert'",
            '[proxy] client_certificate_header does nothing with [tls] client_certificates = "off"',
        ),
        ("[proxy]\ntrusted = ['unix']", "what [proxy] trusts is reachable from other machines"),
        ("[tls]\nclient_certificates = 'yes'", "[tls] client_certificates: Input should be 'off'"),
        ("[tls]\nclient_certificates = 'required'", '[tls]: client_certificates = "required" also'),
        ("[tls]\nclient_ca = 'ca.pem'", "[tls]: client_ca and client_crl do nothing while"),
        ("[tls]\nclient_crl = 'crl.pem'", "[tls]: client_ca and client_crl do nothing while"),
        (CERTIFIED, "[[keys]] aaaa: needs a certificate, and no client is asked for one"),
        (
            MUTUAL + CERTIFIED + f'certificate_sha256 = "{"0" * 64}"',
            "[[keys]] aaaa: certificate_subject and certificate_sha256: one of them",
        ),
        (
            MUTUAL + KEY.replace(f'sha256 = "{"0" * 64}"', ""),
            "[[keys]] aaaa: needs sha256, of a key, or certificate_subject",
        ),
        (
            MUTUAL
            + CERTIFIED.replace(f'sha256 = "{"0" * 64}"', "")
            + CERTIFIED.replace(f'sha256 = "{"0" * 64}"', "").replace("aaaa", "bbbb"),
            "[[keys]] bbbb: another entry has that certificate alone",
        ),
    ],
)
def test_proxies_and_certificates_that_do_nothing_are_refused(
    tables: str, said: str, refuse: Refuse
) -> None:
    """What would be believed of everybody, or of nobody, is a mistake."""
    assert said in refuse(tables)


PROXY = '[proxy]\ntrusted = ["unix", "127.0.0.0/8"]\n'
PLAIN = MINIMAL.replace("certfile", "# certfile").replace("keyfile", "# keyfile")


@pytest.mark.parametrize(
    "bind", ["unix:/run/ocr.sock", "127.0.0.1:8000", "localhost:8000", "fd://3"]
)
def test_a_proxy_on_this_machine_is_spoken_to_without_tls(bind: str, load: Load) -> None:
    """Over a Unix socket, loopback, or a socket that was handed over."""
    settings = load(PROXY + KEY, top=f'bind = "{bind}"', main=PLAIN)
    assert not settings.server.has_tls
    assert settings.reachable_by[-1] == "what [proxy] trusts"


@pytest.mark.parametrize(
    ("bind", "tables", "said"),
    [
        ("unix:/run/ocr.sock", KEY, 'set [proxy] trusted = ["unix"]'),
        ("unix:/run/ocr.sock", KEY + "[proxy]\ntrusted = ['127.0.0.0/8']", 'trusted = ["unix"]'),
        ("127.0.0.1:8000", KEY, "would serve plain HTTP on 127.0.0.1:8000"),
        ("127.0.0.1:8000", KEY + "[proxy]\ntrusted = ['unix']", "would serve plain HTTP on 127"),
        ("[::1]:8000", KEY + PROXY, "would serve plain HTTP on [::1]:8000"),
        ("192.0.2.1:8000", KEY + "[proxy]\ntrusted = ['192.0.2.0/24']", "would serve plain HTTP"),
        ("fd://3", KEY, "would serve plain HTTP on fd://3"),
    ],
)
def test_nobody_else_is(bind: str, tables: str, said: str, refuse: Refuse) -> None:
    """Without a proxy that is trusted at that address, and over a network never."""
    assert said in refuse(tables, top=f'bind = "{bind}"', main=PLAIN)


def test_without_tls_there_is_no_second_port(refuse: Refuse) -> None:
    """Hypercorn would not open it."""
    top = 'bind = "unix:/run/ocr.sock"\ninsecure_bind = "127.0.0.1:80"'
    assert "insecure_bind does nothing without certfile" in refuse(PROXY + KEY, top=top, main=PLAIN)


def test_half_of_a_certificate_is_a_mistake(refuse: Refuse) -> None:
    """A key without its certificate is one that was forgotten, whatever stands in front."""
    half = MINIMAL.replace("certfile", "# certfile")
    assert "certfile is missing" in refuse(PROXY + KEY, top='bind = "unix:/x"', main=half)


def test_certificates_alone_or_with_a_key(load: Load) -> None:
    """Two entries may share one where each has a key of its own."""
    other = CERTIFIED.replace("aaaa", "bbbb").replace("0" * 64, "1" * 64)
    keys = load(MUTUAL + CERTIFIED + other).keys
    assert [key.needs_certificate for key in keys] == [True, True]
    alone = load(MUTUAL + KEY.replace("sha256 =", "certificate_sha256 =")).keys
    assert alone[0].sha256 is None
