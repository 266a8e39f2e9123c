"""A real Postfix on a free port of loopback, with a configuration and a queue of its own, that delivers to Maildirs."""

import os
import shutil
import socket
import socketserver
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.post_office import ANN, BEN, Mail
from tests.acceptance.server import LONG_S

_DAEMONS: Final = Path("/usr/lib/postfix/sbin")  # where Debian and Ubuntu have them
_NOBODY: Final = 65_534
_INSTALL: Final = "apt-get install postfix"
_SERVICES: Final = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""
_SETTINGS: Final = """\
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
maillog_file = {home}/log
maillog_file_prefixes = {home}
mail_owner = postfix
setgid_group = postdrop
multi_instance_enable = no
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = office.test
mydestination =
alias_maps =
alias_database =
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = example.com
virtual_mailbox_base = {home}/mail
virtual_mailbox_maps = inline:{{ {maildirs} }}
virtual_uid_maps = static:{nobody}
virtual_gid_maps = static:{nobody}
smtpd_recipient_restrictions = {restrictions}reject_unauth_destination, reject_unlisted_recipient
"""
_TLS: Final = """\
smtpd_tls_security_level = encrypt
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
"""


class Postfix:
    """One that runs; `port` takes mail for Ann and Ben, and for nobody else."""

    def __init__(self, home: Path, port: int) -> None:
        self.home = home
        self.port = port

    @property
    def log(self) -> str:
        """What it wrote so far."""
        path = self.home / "log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def to(self, recipient: str) -> list[Mail]:
        """What one person got, in no certain order."""
        new = (self.home / "mail" / _maildir(recipient) / "new").glob("*")
        return [Mail(recipient, file.read_bytes(), file.stat().st_mtime) for file in sorted(new)]

    def until(self, holds: Callable[[], bool], within_s: float = LONG_S) -> bool:
        """Waits until something holds of what it wrote or delivered; False when the time is over before."""
        end_s = time.monotonic() + within_s
        while not holds():
            if time.monotonic() > end_s:
                return False
            threading.Event().wait(0.05)  # nobody tells of another process's files
        return True

    def until_marks(self, recipient: str, *marks: str, within_s: float = LONG_S) -> list[Mail]:
        """Waits until somebody got mails with these marks and no others, and gives them in this order."""
        wanted = sorted(marks)
        assert self.until(lambda: sorted(each.mark for each in self.to(recipient)) == wanted, within_s), self.log
        return sorted(self.to(recipient), key=lambda each: marks.index(each.mark))


def _maildir(recipient: str) -> str:
    return f"{recipient.partition('@')[0]}/"


@contextmanager
def postfix(*, restrictions: str = "", settings: str = "") -> Iterator[Postfix]:
    """Runs one until the end; skips where it is not installed. Restrictions come before its own and end in a comma."""
    _check_installed()
    with tempfile.TemporaryDirectory(prefix="guard-postfix-", ignore_cleanup_errors=True) as directory:
        home = Path(directory)
        server = Postfix(home, _free_port())
        _lay_out(server, restrictions, settings)
        _control(home, "start")
        try:
            assert server.until(lambda: _answers(server.port)), server.log
            yield server
        finally:
            _control(home, "abort")


def _check_installed() -> None:
    if not (_DAEMONS / "master").exists() or shutil.which("postfix", path=_path()) is None:
        pytest.skip(f"Postfix is not installed here; Debian, Ubuntu: {_INSTALL}")
    if os.geteuid() != 0:
        pytest.skip("Postfix starts as root only, which this is not")


def _lay_out(server: Postfix, restrictions: str, settings: str) -> None:
    """Writes its configuration, and the directories that it does not make itself."""
    home = server.home
    home.chmod(0o755)  # its parts run as different users
    for name in ("config", "queue", "mail"):
        (home / name).mkdir()
    os.chown(home / "mail", _NOBODY, _NOBODY)
    maildirs = ", ".join(f"{{ {each} = {_maildir(each)} }}" for each in (ANN, BEN))
    main = _SETTINGS.format(home=home, maildirs=maildirs, nobody=_NOBODY, restrictions=restrictions)
    (home / "config" / "main.cf").write_text(main + settings, encoding="utf-8")
    (home / "config" / "master.cf").write_text(_SERVICES.format(port=server.port), encoding="utf-8")


def _control(home: Path, word: str) -> None:
    argv = ["postfix", "-c", str(home / "config"), word]
    environ = {**os.environ, "PATH": _path()}
    done = subprocess.run(argv, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def _path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as one:
            return one.recv(4).startswith(b"220")
    except OSError:
        return False


# --- what it is told by others ---------------------------------------------------------------------------------------


class _Policy(socketserver.StreamRequestHandler):
    """Postfix's policy protocol (SMTPD_POLICY_README): lines of names and values up to an empty one, then an action."""

    def handle(self) -> None:
        asked: dict[str, str] = {}
        while line := self.rfile.readline().decode():
            name, _, value = line.strip().partition("=")
            asked[name] = value
            if line == "\n":
                server = self.server
                assert isinstance(server, _Greylist)
                self.wfile.write(f"action={server.action(asked.get('recipient', ''))}\n\n".encode())
                asked.clear()


class _Greylist(socketserver.ThreadingTCPServer):
    """Puts off whom it has not seen before."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Policy)
        self._seen: set[str] = set()

    def action(self, recipient: str) -> str:
        if recipient in self._seen:
            return "dunno"
        self._seen.add(recipient)
        return "defer_if_permit Greylisted, come back later"


@contextmanager
def greylist() -> Iterator[str]:
    """A policy service that puts every recipient off once; gives the restriction that asks it."""
    server = _Greylist()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"check_policy_service inet:127.0.0.1:{server.server_address[1]}, "
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def authority() -> Iterator[tuple[Path, str]]:
    """A certificate authority of our own: its certificate, and settings with one that it gave to localhost."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed here; Debian, Ubuntu: apt-get install openssl")
    with tempfile.TemporaryDirectory(prefix="guard-authority-") as directory:
        home = Path(directory)
        request = ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-x509", "-days", "2")
        _call(home, openssl, *request, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Our own authority")
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-addext", "basicConstraints=critical,CA:FALSE")
        name = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
        _call(home, openssl, *request, *signed, *name, "-keyout", "server.key", "-out", "server.pem")
        yield home / "ca.pem", _TLS.format(certificate=home / "server.pem", key=home / "server.key")


def _call(home: Path, *argv: str) -> None:
    done = subprocess.run(argv, cwd=home, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
