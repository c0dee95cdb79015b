"""The service's tables: valid and invalid values, and the checks across tables."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import SecretStr, ValidationError

from settings.schema import Settings
from settings.tables import HSTS_PRELOAD_MIN_S, Cors, Formats, Hsts, Limits
from tests.settings.conftest import KEY, MINIMAL, Load, Refuse


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ("[tls]\nmax_conections = 1", "[tls] max_conections: unknown key; did you mean max_"),
        ("[hsts]\nmax_age = 1", "[hsts] max_age: unknown key; did you mean max_age_s?"),
        (KEY + "expire = 2027-01-01", "[[keys]] aaaa expire: unknown key; did you mean exp"),
        ("timeouts_s = 1", "[[functions]] /ocr timeouts_s: unknown key; did you mean timeo"),
        ("[tls]\nx = {y = 1}", "[tls] x: unknown key; valid names: "),
        (
            "[tls]\nmax_connections = 'many'",
            '[tls] max_connections: "many" is not a whole number; write one such as 512',
        ),
        (
            "[engine]\nmax_waiting = 'auto'",
            '[engine] max_waiting: "auto" is not a whole number',
        ),
        (
            "[tls.max_connections]\nx = 1",
            "[tls] max_connections: a table is not a whole number; write one such as 512",
        ),
        (
            "[limits]\nper_key = 60",
            "[limits] per_key: 60 is not a string; write a string in quotes, such as",
        ),
        (
            "[limits]\non_storage_failure = 'ask'",
            '[limits] on_storage_failure: "ask" is not "deny" or "allow"',
        ),
        ("[engine]\nidle_s = -1", "[engine] idle_s: -1 is too small: at least 0"),
        ("[model]\nmax_pixels = 0", "[model] max_pixels: "),
        ("methods = []", "[[functions]] /ocr: methods is empty"),
        ("methods = ['BREW']", '[[functions]] /ocr methods (entry 1): "BREW" is not "GET", '),
        (
            "timeout_s = 1",
            "[[functions]] /ocr: body_timeout_s (30) must not be longer than timeout_s (1)",
        ),
        (
            "limits = ['often']",
            "[[functions]] /ocr limits (entry 1): 'often' is not a rate limit such as",
        ),
        (KEY.replace("0" * 64, "0" * 63), "[[keys]] aaaa sha256: "),
        (KEY.replace("aaaa", "AAAA"), "[[keys]] AAAA id: "),
        (KEY.replace('["ocr"]', "[]"), "[[keys]] aaaa scopes: "),
        (
            KEY.replace("accounting", "a\\nb"),
            "[[keys]] aaaa name: contains the control",
        ),
        (
            KEY.replace("accounting", "a\\u202eb"),
            "[[keys]] aaaa name: contains the control",
        ),
        (
            KEY.replace("accounting", "a\\u2028b"),
            "[[keys]] aaaa name: contains the control",
        ),
        (KEY.replace("accounting", " a"), "[[keys]] aaaa name: must not begin or end with white"),
        (KEY.replace("accounting", ""), "[[keys]] aaaa name: must have 1 to 64 characters"),
        (KEY.replace("accounting", "a" * 65), "[[keys]] aaaa name: must have 1 to 64 characters"),
        (KEY.replace('id = "aaaa"', ""), "[[keys]] entry 1 id: is missing"),
    ],
)
def test_an_error_names_file_and_key(tables: str, said: str, refuse: Refuse) -> None:
    """So do errors of misspelled keys, wrong types and values out of range."""
    assert f"settings.toml: {said}" in refuse(tables)


def test_all_errors_are_reported_at_once(refuse: Refuse) -> None:
    """One start reports all of them, one per line, each with its source."""
    message = refuse("[tls]\nx = 1", local="[hsts]\ny = 1", env={"OCR_LIMITS__Z": "1"})
    assert [line.partition(":")[0] for line in message.splitlines()] == [
        "settings.toml",
        "settings.local.toml",
        "OCR_LIMITS__Z",
    ]


def test_at_least_one_function_is_required(refuse: Refuse) -> None:
    """A service without functions would serve nothing."""
    message = refuse(main=MINIMAL.partition("[[")[0])
    assert message == "settings.toml: [[functions]]: is missing"


def test_an_error_in_an_entry_names_the_file_of_the_entry(refuse: Refuse) -> None:
    """Here settings.local.toml, not settings.toml."""
    assert refuse(KEY, local=KEY.replace("aaaa", "bbbb").replace("0", "x")).startswith(
        "settings.local.toml: [[keys]] bbbb sha256"
    )


@pytest.mark.parametrize(
    "limit",
    [
        *("", "0/minute", "-1/minute", "1/minute;2/hour", "1/minute,2/hour", "1", "1/fortnight"),
        *("1000000000001/minute", "1 per 40000 years"),
    ],
)
def test_an_invalid_limit_is_rejected(limit: str) -> None:
    """A limit is one limit of at least one request, in the documented notation."""
    with pytest.raises(ValidationError):
        Limits(per_key=limit)


@pytest.mark.parametrize("limit", ["60/minute", "10 per 5 minutes", "1/second", "5 per day"])
def test_both_notations_of_a_limit_are_accepted(limit: str) -> None:
    """Those that settings.toml documents."""
    assert Limits(per_key=limit).per_key == limit


def test_workers_require_a_shared_storage(load: Load, refuse: Refuse) -> None:
    """Each of two workers would have its own counters in memory."""
    message = refuse(top="workers = 2")
    assert "workers = 2 would each have their own rate-limit counters" in message
    assert "async+redis://" in message
    for workers in (0, 1):
        load(top=f"workers = {workers}")
    shared = load("[limits]\nstorage = 'async+redis://127.0.0.1'", top="workers = 2")
    assert not shared.limits.counts_per_process


def test_a_storage_is_not_waited_for_until_the_timeout(load: Load, refuse: Refuse) -> None:
    """A request would get a 504 before `on_storage_failure` decides; memory is not waited for."""
    timeout_s = load().functions[0].timeout_s
    shared = "[limits]\nstorage = 'async+redis://127.0.0.1'\nstorage_wait_s = "
    message = refuse(f"{shared}{timeout_s}")
    assert f"storage_wait_s ({timeout_s:g}) is not less than timeout_s" in message
    assert "of /ocr" in message
    load(f"{shared}{timeout_s - 1}")
    load(f"[limits]\nstorage_wait_s = {timeout_s}")


@pytest.mark.parametrize("include", [False, True])
@pytest.mark.parametrize("max_age_s", [0, HSTS_PRELOAD_MIN_S - 1, HSTS_PRELOAD_MIN_S])
def test_preload_requires_what_browsers_require(max_age_s: int, include: bool) -> None:  # noqa: FBT001
    """A max-age of a year, and subdomains."""
    if include and max_age_s == HSTS_PRELOAD_MIN_S:
        hsts = Hsts(preload=True, include_subdomains=True, max_age_s=max_age_s)
        expected = f"max-age={max_age_s}; includeSubDomains; preload"
        assert hsts.header(development=False) == expected
    else:
        with pytest.raises(ValidationError, match="preload = true requires"):
            Hsts(preload=True, include_subdomains=include, max_age_s=max_age_s)


@pytest.mark.parametrize(
    ("origin", "said"),
    [
        ("*", '"*" would let every web page use the service; list the origins of your pages'),
        ("null", '"null" is not an origin such as "https://intranet.example.org"'),
        ("intranet.example.org", "is not an origin such as"),
        ("https://*.example.org", "is not an origin such as"),
        ("https://user@a.example", "is not an origin such as"),
        ("https://a.example/app", "is not an origin such as"),
        ("https://a.example/", 'would match no page; did you mean "https://a.example"?'),
        ("https://A.example", 'did you mean "https://a.example"?'),
        ("https://a.example:443", 'did you mean "https://a.example"?'),
        ("http://localhost:80", 'did you mean "http://localhost"?'),
    ],
)
def test_origins_that_no_browser_sends_are_refused(origin: str, said: str) -> None:
    """The message says what to write; every page at once is not possible."""
    with pytest.raises(ValidationError) as caught:
        Cors(origins=(origin,))
    assert said in str(caught.value)


def test_origins_are_compared_as_browsers_send_them() -> None:
    """With the port where it is not the scheme's own."""
    origins = ("https://a.example", "http://localhost:3000", "https://[::1]:8443", "http://1.2.3.4")
    assert Cors(origins=origins).origins == origins


def test_hsts_is_short_with_a_development_certificate() -> None:
    """HSTS applies to every port of localhost, so it lasts a minute."""
    hsts = Hsts(preload=True, include_subdomains=True)
    assert hsts.header(development=True) == "max-age=60"
    assert Hsts().header(development=False) == "max-age=63072000"


def test_the_default_resolution_of_page_images_is_an_allowed_one() -> None:
    """Otherwise a client could request it by leaving it out only."""
    assert Formats(dpi=300, max_dpi=300).dpi == 300
    with pytest.raises(ValidationError, match="dpi must be at most max_dpi, 299"):
        Formats(dpi=300, max_dpi=299)


@pytest.mark.parametrize(("table", "name"), [("functions", "/ocr"), ("keys", "aaaa")])
def test_duplicate_entries_are_rejected(table: str, name: str, refuse: Refuse) -> None:
    """One of two entries with the same path or id would have no effect."""
    twice = {"functions": "\n" + MINIMAL[MINIMAL.index("[[") :], "keys": KEY + KEY}[table]
    assert f"[[{table}]] {'path' if table == 'functions' else 'id'} '{name}' appears twice" in (
        refuse(twice)
    )


def test_one_function_is_enabled(load: Load, refuse: Refuse) -> None:
    """A disabled one stays known, so that keys may keep its scope and limits."""
    assert "all [[functions]] have enabled = false" in refuse(main=MINIMAL + "enabled = false\n")
    other = MINIMAL[MINIMAL.index("[[") :].replace("/ocr", "/other") + "enabled = false\n"
    settings = load(main=MINIMAL + other)
    assert [function.path for function in settings.enabled_functions] == ["/ocr"]


@pytest.mark.parametrize("path", ["/{name}", "/assets/{name}", "/a/b-c/{page_name}"])
def test_a_path_may_end_in_a_placeholder(path: str, load: Load) -> None:
    """It stands for one whole segment."""
    assert load(main=MINIMAL.replace("/ocr", path)).functions[0].path == path


@pytest.mark.parametrize(
    "path", ["/{name}/x", "/a{name}", "/{name:path}", "/{Name}", "/{}", "/{a}{b}"]
)
def test_other_placeholders_are_rejected(path: str, refuse: Refuse) -> None:
    """The message shows what a placeholder looks like."""
    assert "may be a placeholder such as {name}" in refuse(main=MINIMAL.replace("/ocr", path))


def test_the_limits_of_a_key_name_functions(load: Load, refuse: Refuse) -> None:
    """With a misspelled path the key would have the default limit."""
    message = refuse(KEY + 'limits = { "/ocrs" = "9/minute" }')
    assert "[[keys]] aaaa: limits has '/ocrs', which is not the path" in message
    entry = MINIMAL[MINIMAL.index("[[functions]]") :]
    functions = entry.replace("/ocr", "/open").replace('"ocr"', '"public"')
    functions += entry.replace("/ocr", "/own").replace('"ocr"', '"other"')
    for path, why in (("/open", "which needs no key"), ("/own", "which needs the scope 'other'")):
        message = refuse(f'{functions}{KEY}limits = {{ "{path}" = "9/minute" }}')
        assert f"[[keys]] aaaa: limits has {path!r}, {why}; " in message
    limits = 'limits = { "/ocr" = "9/minute", "*" = "99/minute" }'
    assert load(KEY + limits).keys[0].limits == {"/ocr": "9/minute", "*": "99/minute"}


@pytest.mark.parametrize("name", ["functions", "networks"])
def test_an_empty_list_does_not_open_a_key(name: str, load: Load, refuse: Refuse) -> None:
    """Without the line a key is valid for all of them, and from everywhere."""
    assert f"[[keys]] aaaa {name}: is empty; it needs at least one" in refuse(f"{KEY}{name} = []")
    assert getattr(load(KEY).keys[0], name) == ()


def test_a_scope_of_a_key_belongs_to_a_function(refuse: Refuse) -> None:
    """Any other scope is misspelled; "public" functions need no key."""
    for scope in ("orc", "public"):
        message = refuse(KEY.replace('["ocr"]', f'["ocr", "{scope}"]'))
        assert (
            f"no function has the scope '{scope}'; the scopes of [[functions]] are: ocr" in message
        )


def test_a_date_begins_at_midnight_utc(load: Load) -> None:
    """A date without a time means its midnight UTC."""
    (key,) = load(KEY + "not_before = 2026-01-01\nexpires = 2027-01-01T02:00:00+02:00").keys
    assert key.not_before == datetime(2026, 1, 1, tzinfo=UTC)
    assert key.expires == datetime(2027, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    assert key.expires == datetime(2027, 1, 1, tzinfo=UTC)


def test_a_time_without_a_zone_is_refused(refuse: Refuse) -> None:
    """A local time would depend on the machine's time zone."""
    message = refuse(KEY + "expires = 2027-01-01T00:00:00")
    assert "[[keys]] aaaa expires: needs a time zone, such as 2027-01-31T00:00:00Z" in message


@pytest.mark.parametrize("expires", ["2026-01-01", "2025-12-31"])
def test_a_key_that_is_never_valid_is_refused(expires: str, refuse: Refuse) -> None:
    """A key that expires before not_before is an error."""
    message = refuse(KEY + f"not_before = 2026-01-01\nexpires = {expires}")
    assert "[[keys]] aaaa: not_before must be earlier than expires" in message


@pytest.mark.parametrize(
    "origin",
    ["http://localhost", "https://h/path", "https://h?q", "https://h#f", "https://u:p@h", "h:8443"],
)
def test_the_public_origin_is_an_https_origin(origin: str, refuse: Refuse) -> None:
    """It is the prefix of a Location header: scheme, host and port only."""
    message = refuse(f"[plain_port]\npublic_origin = '{origin}'")
    assert "settings.toml: [plain_port] public_origin: " in message


def test_the_origin_has_no_trailing_slash(load: Load) -> None:
    """The path of a redirect is appended to it."""
    settings = load("[plain_port]\npublic_origin = 'https://ocr.example.org/'")
    assert settings.plain_port.origin == "https://ocr.example.org"


@pytest.mark.parametrize("scheme", ["memory", "redis", "async+memcached", "async+redis+x", ""])
def test_other_storages_are_refused(scheme: str, refuse: Refuse) -> None:
    """Only asynchronous storages with moving windows are supported."""
    assert "[limits]: storage must start with one of async+memory://, async+redis://" in refuse(
        f"[limits]\nstorage = '{scheme}://h'"
    )


def test_the_files_of_a_storage_s_tls(load: Load, refuse: Refuse) -> None:
    """They need TLS, and a certificate its key; sentinels are several hosts."""
    assert "[limits]: storage_ca has no effect without TLS" in refuse(
        "[limits]\nstorage = 'async+redis://h'\nstorage_ca = 'ca.pem'"
    )
    assert "storage_certfile and storage_keyfile belong together" in refuse(
        "[limits]\nstorage = 'async+rediss://h'\nstorage_certfile = 'c.pem'"
    )
    assert "storage is not a valid URL" in refuse(
        "[limits]\nstorage = 'async+redis+sentinel://:p@one:1,two:x/ocr'"
    )
    url = "async+rediss+sentinel://:p@one:1,two/ocr"
    settings = load(f"[limits]\nstorage = '{url}'\nstorage_ca = 'ca.pem'")
    assert not settings.limits.counts_per_process


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
def test_no_secret_is_in_an_error(mistake: dict[str, str], refuse: Refuse) -> None:
    """The password of a storage is not in the message, whatever is wrong."""
    assert "hunter2" not in refuse(mistake.pop("tables", ""), **mistake)


def test_no_secret_is_in_the_printed_settings(load: Load) -> None:
    """Nor in their repr or dump."""
    settings = load("[limits]\nstorage = 'async+redis://:hunter2@h'")
    assert isinstance(settings.limits.storage, SecretStr)
    assert not re.search("hunter2", f"{settings} {settings!r} {settings.limits.model_dump()}")


def test_settings_are_frozen(load: Load) -> None:
    """Neither the settings nor a table can be changed."""
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
    """Only the merged values count."""
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
            "[proxy] trusted (entry 1): '10.0.0.1/8' has host bits set; ",
        ),
        ("[proxy]\ntrusted = ['0.0.0.0/0']", "[proxy] trusted (entry 1): '0.0.0.0/0' is too large"),
        ("[proxy]\ntrusted = ['128.0.0.0/1']", "trusted (entry 1): '128.0.0.0/1' is too large"),
        ("[proxy]\ntrusted = ['::/0']", "[proxy] trusted (entry 1): '::/0' is too large"),
        (
            KEY.replace("sha256 =", "certificate_subject = 'ledger'\nsha256 ="),
            "is not an RFC 4514 name",
        ),
        (KEY + "certificate_subject = 'CN=a, O=b'", "'CN=a, O=b' is not an RFC 4514 name"),
        (KEY + "certificate_subject = '2.5.4.3=a'", "did you mean 'CN=a'?"),
        ('[limits]\nstorage = "async+redis://:a/b@host:1"', "[limits]: storage is not a valid URL"),
        ("[proxy]\ntrusted = ['proxy.lan']", "[proxy] trusted (entry 1): 'proxy.lan' is neither"),
        ("[proxy]\nheader = 'x-real-ip'", '[proxy] header: "x-real-ip" is not "forwarded" or'),
        ("[proxy]\nclient_certificate_header = 'X Y'", "[proxy] client_certificate_header: "),
        (
            "[proxy]\nclient_certificate_header = 'client-cert'",
            "[proxy]: client_certificate_header has no effect while trusted is empty",
        ),
        (
            KEY + "[proxy]\ntrusted = ['unix']\nclient_certificate_header = 'client-cert'",
            "[proxy] client_certificate_header has no effect with [tls] client_certificates",
        ),
        (
            "[proxy]\ntrusted = ['unix']",
            "the service behind [proxy] is reachable from other machines",
        ),
        ("[tls]\nclient_certificates = 'yes'", '[tls] client_certificates: "yes" is not "off"'),
        ("[tls]\nclient_certificates = 'required'", '[tls]: client_certificates = "required" req'),
        ("[tls]\nclient_ca = 'ca.pem'", "[tls]: client_ca and client_crl have no effect"),
        ("[tls]\nclient_crl = 'crl.pem'", "[tls]: client_ca and client_crl have no effect"),
        (CERTIFIED, "[[keys]] aaaa: needs a certificate, but clients are not asked"),
        (
            MUTUAL + CERTIFIED + f'certificate_sha256 = "{"0" * 64}"',
            "[[keys]] aaaa: set certificate_subject or certificate_sha256, not both",
        ),
        (
            MUTUAL + KEY.replace(f'sha256 = "{"0" * 64}"', ""),
            "[[keys]] aaaa: needs sha256 (of an API key), certificate_subject",
        ),
        (
            MUTUAL
            + CERTIFIED.replace(f'sha256 = "{"0" * 64}"', "")
            + CERTIFIED.replace(f'sha256 = "{"0" * 64}"', "").replace("aaaa", "bbbb"),
            "[[keys]] bbbb: another entry without sha256 has the same certificate",
        ),
    ],
)
def test_contradictory_proxy_and_certificate_settings_are_rejected(
    tables: str, said: str, refuse: Refuse
) -> None:
    """So are settings that would trust everyone, or have no effect."""
    assert said in refuse(tables)


PROXY = '[proxy]\ntrusted = ["unix", "127.0.0.0/8"]\n'
PLAIN = MINIMAL.replace("certfile", "# certfile").replace("keyfile", "# keyfile")


@pytest.mark.parametrize(
    "bind", ["unix:/run/ocr.sock", "127.0.0.1:8000", "localhost:8000", "fd://3"]
)
def test_a_proxy_on_this_machine_may_use_plain_http(bind: str, load: Load) -> None:
    """Over a Unix socket, loopback or an inherited socket."""
    settings = load(PROXY + KEY, top=f'bind = "{bind}"', main=PLAIN)
    assert not settings.server.has_tls
    assert settings.reachable_by[-1] == "the service behind [proxy]"


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
def test_no_other_peer_may_use_plain_http(
    bind: str, tables: str, said: str, refuse: Refuse
) -> None:
    """The proxy must be trusted at that address, and never over a network."""
    assert said in refuse(tables, top=f'bind = "{bind}"', main=PLAIN)


def test_insecure_bind_requires_tls(refuse: Refuse) -> None:
    """Hypercorn would not open it otherwise."""
    top = 'bind = "unix:/run/ocr.sock"\ninsecure_bind = "127.0.0.1:80"'
    assert "insecure_bind has no effect without certfile" in refuse(
        PROXY + KEY, top=top, main=PLAIN
    )


def test_a_key_without_its_certificate_is_an_error(refuse: Refuse) -> None:
    """Also behind a proxy."""
    half = MINIMAL.replace("certfile", "# certfile")
    assert "certfile is missing" in refuse(PROXY + KEY, top='bind = "unix:/x"', main=half)


def test_two_keys_may_share_a_certificate(load: Load) -> None:
    """If each entry has a key of its own; a certificate can also be enough."""
    other = CERTIFIED.replace("aaaa", "bbbb").replace("0" * 64, "1" * 64)
    keys = load(MUTUAL + CERTIFIED + other).keys
    assert [key.needs_certificate for key in keys] == [True, True]
    alone = load(MUTUAL + KEY.replace("sha256 =", "certificate_sha256 =")).keys
    assert alone[0].sha256 is None


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ("key_header = 'X-Key'", "[[functions]] /ocr key_header: must be a header's name in"),
        ("key_header = 'authorization'", '[[functions]] /ocr: key_header = "authorization" is alw'),
        ("key_header = 'x-api-key'", '[[functions]] /ocr: key_header = "x-api-key" is always acc'),
        ("key_header = 'cookie'", '[[functions]] /ocr: key_header = "cookie" would let every web'),
        (
            "loopback_without_key = true\n[proxy]\ntrusted = ['10.0.0.1']",
            "[[functions]] /ocr: loopback_without_key = true with [proxy] trusted could let",
        ),
    ],
)
def test_where_a_key_may_be_sent_or_left_out(tables: str, said: str, refuse: Refuse) -> None:
    """Nothing that would have no effect, or would let other machines through without a key."""
    assert f"settings.toml: {said}" in refuse(tables)


@pytest.mark.parametrize("setting", ["key_header = 'apikey'", "loopback_without_key = true"])
def test_a_public_function_has_no_key(setting: str, load: Load, refuse: Refuse) -> None:
    """Both settings would have no effect; with a scope they are valid."""
    public = MINIMAL.replace('scope = "ocr"', 'scope = "public"')
    assert 'has no effect with scope = "public"' in refuse(setting, main=public)
    assert load(setting).functions[0].path == "/ocr"
    disabled = load(f"{setting}\nenabled = false\n[proxy]\ntrusted = ['10.0.0.1']\n"
                    + MINIMAL[MINIMAL.index("[[") :].replace("/ocr", "/x", 1) + KEY)  # fmt: skip
    assert disabled.paths_without_key_from_loopback == ()
