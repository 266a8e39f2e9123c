import os
import pwd
from collections.abc import Mapping
from pathlib import Path

import pytest

from guard.errors import ConfigError, ExitCode
from guard.settings import Listen, Settings, read_file, read_secret, unknown_variables

OWN_HOME = pwd.getpwuid(os.getuid()).pw_dir


def settings(**environ: str) -> Settings:
    return Settings.from_environ({"HOME": "/home/me", **environ})


def test_nothing_needs_to_be_set() -> None:
    assert settings() == Settings(
        rules=Path("rules.toml"),
        database="/home/me/.local/state/quota-guard/guard.db",
        log_format="text",
        heartbeat_url=None,
        listen=Listen("127.0.0.1", 8080, token=None),
    )


def test_an_empty_variable_counts_as_not_set() -> None:
    names = (
        "RULES",
        "DATABASE",
        "LOG",
        "HEARTBEAT_URL",
        "LISTEN",
        "CONSOLE_TOKEN",
        "CONSOLE_TOKEN_FILE",
        "CONSOLE_URL",
    )
    empty = dict.fromkeys([*(f"GUARD_{name}" for name in names), "STATE_DIRECTORY", "XDG_STATE_HOME"], "")
    assert settings(**empty) == settings()


@pytest.mark.parametrize(
    ("given", "path"), [("/etc/guard.toml", "/etc/guard.toml"), ("a.toml", "a.toml"), ("~/a.toml", "/home/me/a.toml")]
)
def test_the_rule_file_is_where_guard_rules_says(given: str, path: str) -> None:
    assert settings(GUARD_RULES=given).rules == Path(path)


@pytest.mark.parametrize(
    ("environ", "database"),
    [
        ({"GUARD_DATABASE": "/srv/g.db", "STATE_DIRECTORY": "/var/lib/q"}, "/srv/g.db"),
        ({"GUARD_DATABASE": "~/g.db"}, "/home/me/g.db"),
        ({"GUARD_DATABASE": "sqlite:////srv/g.db"}, "sqlite:////srv/g.db"),
        ({"STATE_DIRECTORY": "/var/lib/q", "XDG_STATE_HOME": "/xdg"}, "/var/lib/q/guard.db"),
        ({"STATE_DIRECTORY": "/var/lib/q:/var/lib/other"}, "/var/lib/q/guard.db"),
        ({"XDG_STATE_HOME": "/xdg"}, "/xdg/quota-guard/guard.db"),
        ({"XDG_STATE_HOME": "relative"}, "/home/me/.local/state/quota-guard/guard.db"),
    ],
)
def test_the_database_is_where_the_environment_says(environ: Mapping[str, str], database: str) -> None:
    assert settings(**environ).database == database


def test_without_home_or_with_an_empty_one_the_database_is_in_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "")
    assert Settings.from_environ({}).database == f"{OWN_HOME}/.local/state/quota-guard/guard.db"
    assert Settings.from_environ({"HOME": ""}) == Settings.from_environ({})


def test_a_user_without_any_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(uid: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    with pytest.raises(ConfigError, match="set GUARD_DATABASE"):
        Settings.from_environ({})
    assert Settings.from_environ({"GUARD_DATABASE": "g.db"}).database == "g.db"


@pytest.mark.parametrize("word", ["text", "json"])
def test_the_log_is_text_or_json(word: str) -> None:
    assert settings(GUARD_LOG=word).log_format == word


def test_another_log_format_is_refused() -> None:
    with pytest.raises(ConfigError, match="GUARD_LOG is 'xml'; it may be text or json") as caught:
        settings(GUARD_LOG="xml")
    assert caught.value.exit_code is ExitCode.CONFIG


@pytest.mark.parametrize("url", ["https://hc.example/uuid", "http://127.0.0.1:8000/ping?x=1"])
def test_the_heartbeat_url_is_kept_and_not_shown(url: str) -> None:
    kept = settings(GUARD_HEARTBEAT_URL=url, GUARD_DATABASE="postgresql://u:hunter2@db/g")
    assert kept.heartbeat_url == url
    assert url not in repr(kept)
    assert "hunter2" not in repr(kept)


def test_the_heartbeat_url_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("https://hc.example/uuid\n")
    assert settings(GUARD_HEARTBEAT_URL_FILE=str(tmp_path / "url")).heartbeat_url == "https://hc.example/uuid"


@pytest.mark.parametrize(
    "url",
    ["hc.example/s3cret", "ftp://hc.example/s3cret", "https:///s3cret", "http://x:port/s3cret", "http://a b/s3cret"],
)
def test_a_heartbeat_that_is_no_web_address_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ConfigError, match="GUARD_HEARTBEAT_URL is no URL") as caught:
        settings(GUARD_HEARTBEAT_URL=url)
    assert "s3cret" not in str(caught.value)


# --- where the console listens -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "listen"),
    [
        ("127.0.0.1:9090", Listen("127.0.0.1", 9090)),
        ("127.1.2.3:0", Listen("127.1.2.3", 0)),
        ("localhost:8080", Listen("127.0.0.1", 8080)),
        ("[::1]:65535", Listen("::1", 65535)),
        ("[0:0:0:0:0:0:0:1]:80", Listen("::1", 80)),
    ],
)
def test_the_console_listens_where_guard_listen_says(text: str, listen: Listen) -> None:
    assert settings(GUARD_LISTEN=text).listen == listen


def test_an_address_reads_as_it_is_written() -> None:
    assert [str(settings(GUARD_LISTEN=text).listen) for text in ("127.0.0.1:0", "[::1]:80")] == [
        "127.0.0.1:0",
        "[::1]:80",
    ]


@pytest.mark.parametrize("environ", [{}, {"GUARD_CONSOLE_TOKEN": "t0ken"}])
def test_the_console_can_be_off(environ: Mapping[str, str]) -> None:
    assert settings(GUARD_LISTEN="off", **environ).listen is None


@pytest.mark.parametrize(
    "text",
    [
        *("8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:-1", "127.0.0.1:65536"),
        *("::1:8080", "[::1]", "[::1:8080", "[localhost]:x", "127.0.0.256:80", "127.0.0.1:8080/", "OFF", " off"),
        *("console.example:80", "http://127.0.0.1:80", "me@127.0.0.1:80", "127.0.0.1:८०", "127.0.0.1:80\n"),
    ],
)
def test_what_is_no_address_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(GUARD_LISTEN=text, GUARD_CONSOLE_TOKEN="t0ken")
    assert str(caught.value) == (
        f"GUARD_LISTEN is {text!r}; write an IP address and a port, as in 127.0.0.1:8080 or [::1]:8080, or off"
    )
    assert caught.value.exit_code is ExitCode.CONFIG


BEYOND = ["0.0.0.0:8080", "[::]:8080", "192.0.2.7:80", "[2001:db8::1]:80", "[::ffff:192.0.2.7]:80"]


@pytest.mark.parametrize("text", BEYOND)
def test_beyond_loopback_it_does_not_listen_without_a_token(text: str) -> None:
    with pytest.raises(ConfigError, match=r"needs a token: set GUARD_CONSOLE_TOKEN .* or listen on 127\.0\.0\.1"):
        settings(GUARD_LISTEN=text)


@pytest.mark.parametrize("text", BEYOND)
def test_beyond_loopback_it_listens_with_a_token_which_is_not_shown(text: str) -> None:
    listen = settings(GUARD_LISTEN=text, GUARD_CONSOLE_TOKEN="t0ken").listen
    assert listen is not None
    assert listen.token == "t0ken"
    assert not listen.is_loopback
    assert "t0ken" not in f"{listen!r} {listen}"


def test_the_consoles_token_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t0ken\n")
    assert settings(GUARD_CONSOLE_TOKEN_FILE=str(tmp_path / "token")).listen == Listen(token="t0ken")


# --- secrets -------------------------------------------------------------------------------------------------------


def test_a_secret_is_read_from_its_variable() -> None:
    assert read_secret("KEY", {"KEY": "k-1"}) == "k-1"


@pytest.mark.parametrize("content", ["k-1", "k-1\n", "k-1\r\n", "\ufeffk-1\n\n"])
def test_a_secret_is_read_from_the_file_that_its_variable_names(tmp_path: Path, content: str) -> None:
    path = tmp_path / "key"
    path.write_bytes(content.encode())
    assert read_secret("KEY", {"KEY_FILE": str(path), "KEY": ""}) == "k-1"


@pytest.mark.parametrize("environ", [{}, {"KEY": ""}, {"KEY": "", "KEY_FILE": ""}])
def test_an_empty_secret_is_none(environ: Mapping[str, str]) -> None:
    assert read_secret("KEY", environ) is None


def test_a_secret_in_two_places_is_refused() -> None:
    with pytest.raises(ConfigError, match="KEY and KEY_FILE are both set; unset one of them"):
        read_secret("KEY", {"KEY": "k-1", "KEY_FILE": "/dev/null"})


def test_a_file_that_cannot_be_read_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "absent"
    with pytest.raises(ConfigError) as caught:
        read_secret("KEY", {"KEY_FILE": str(path)})
    assert str(caught.value) == f"KEY_FILE: {path}: cannot be read: No such file or directory"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"s3cret\nsecond", "holds a line break"),
        (b"s3cret\x00", "holds a line break or another control character"),
        (b"s3cret\xff", "is not UTF-8 text"),
        (b"s3cret" * 20_000, "is longer than 65536 bytes"),
    ],
)
def test_a_file_that_holds_no_secret_is_refused_without_showing_it(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=why) as caught:
        read_secret("KEY", {"KEY_FILE": str(path)})
    assert "s3cret" not in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("pipe", "it is a pipe, not a regular file"),
        ("/dev/zero", "it is a device, not a regular file"),
        (".", "Is a directory"),
    ],
)
def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path, place: str, why: str) -> None:
    os.mkfifo(tmp_path / "pipe")  # which nobody writes into
    path = tmp_path / place
    with pytest.raises(ConfigError) as caught:
        read_secret("KEY", {"KEY_FILE": str(path)})
    assert str(caught.value) == f"KEY_FILE: {path}: cannot be read: {why}"


def test_a_directory_that_is_read_time_and_again_leaves_nothing_open(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        with pytest.raises(IsADirectoryError):
            read_file(tmp_path, at_most=1)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_secret_is_read_through_links_and_open_files(tmp_path: Path) -> None:
    (tmp_path / "..data").mkdir()
    (tmp_path / "..data" / "key").write_text("k-1\n")
    (tmp_path / "key").symlink_to("..data/key")  # as Kubernetes mounts secrets
    assert read_secret("KEY", {"KEY_FILE": str(tmp_path / "key")}) == "k-1"
    with (tmp_path / "key").open() as file:
        assert read_secret("KEY", {"KEY_FILE": f"/dev/fd/{file.fileno()}"}) == "k-1"


def test_a_variable_that_holds_two_lines_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"^KEY: holds a line break") as caught:
        read_secret("KEY", {"KEY": "s3cret\nsecond"})
    assert "s3cret" not in str(caught.value)


def test_a_variable_that_is_no_text_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"^KEY: is not UTF-8 text$"):
        read_secret("KEY", {"KEY": os.fsdecode(b"s3cret\xff")})


# --- variables that nobody reads -----------------------------------------------------------------------------------


def test_a_misspelt_variable_is_listed_with_the_one_that_was_meant() -> None:
    environ = {"GUARD_RULE": "x", "GUARD_XYZZY": "y", "GUARD_LOG": "json", "PATH": "/bin", "GUARDIAN": "z"}
    assert unknown_variables(environ) == {"GUARD_RULE": "GUARD_RULES", "GUARD_XYZZY": ""}


def test_a_variable_that_the_rule_file_reads_is_known() -> None:
    environ = {"GUARD_API_KEY": "k", "GUARD_SLACK_FILE": "/run/slack"}
    assert unknown_variables(environ, known=["GUARD_API_KEY", "GUARD_SLACK"]) == {}


def test_every_variable_that_the_settings_read_is_known() -> None:
    class Spy(dict[str, str]):
        asked: set[str] = set()  # noqa: RUF012  # one spy, one test

        def get(self, key: str, default: object = None) -> None:  # type: ignore[override]  # it never has anything
            self.asked.add(key)

    Settings.from_environ(Spy())
    assert unknown_variables(dict.fromkeys(Spy.asked, "x")) == {}


# --- where people find the console ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "url", "host"),
    [
        ("https://guard.example.com", "https://guard.example.com", "guard.example.com"),
        ("https://Guard.example.com:8443/", "https://Guard.example.com:8443", "guard.example.com"),
        ("https://example.com/ops/guard/", "https://example.com/ops/guard", "example.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080", "127.0.0.1"),
        ("http://[fd00::7]:8080", "http://[fd00::7]:8080", "[fd00::7]"),
    ],
)
def test_where_people_find_the_console(text: str, url: str, host: str) -> None:
    found = settings(GUARD_CONSOLE_URL=text)
    assert found.console_url == url
    assert found.listen == Listen(known_as=host)


def test_nobody_need_say_where_people_find_the_console() -> None:
    assert settings().console_url == ""
    assert settings(GUARD_CONSOLE_URL="https://guard.example.com", GUARD_LISTEN="off").listen is None


@pytest.mark.parametrize(
    "text",
    [
        *("guard.example.com", "//guard.example.com", "ftp://guard.example.com", "https://", "https:///alerts", "x"),
        *("https://guard.example.com?", "https://guard.example.com/?a=b", "https://guard.example.com/#top"),
        *("https://guard.example.com:0x50", "https://guard.example.com:99999", "https://[::1", "https://ann:pw@g.com"),
        *(
            " https://g.com",
            "https://g.com ",
            "https://g.com/a b",
            "https://g.com/\n",
            "https://g.com/|x>",
            "https://gü.de",
        ),
    ],
)
def test_a_console_url_that_leads_nowhere_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(ConfigError, match="GUARD_CONSOLE_URL is no URL under which people find the console") as caught:
        settings(GUARD_CONSOLE_URL=text)
    assert caught.value.exit_code is ExitCode.CONFIG
    assert "ann:pw" not in str(caught.value)
