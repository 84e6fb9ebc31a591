"""A real etcd of three members on loopback over mutual TLS, for tests.

    with etcd_members() as etcd:
        etcd.start()
        … etcd.settings(prefix) …
        etcd.kill(0); etcd.start(0); etcd.snapshot(file); etcd.restore(file); etcd.close()

Every member lives in a fresh folder; leaving the context ends them and removes it. Nothing is
shared between two uses. Only processes started here are signalled.
"""

import datetime as dt
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from clients.ops.init import free_ports
from config.files import SECRET, write_file
from config.pki import Identity, issue, make_authority
from config.settings import EtcdSettings

MEMBERS = 3
WAIT_S = 30.0


class Members:
    """``ports``: of each member, for clients and for the other members."""

    def __init__(self, home: Path) -> None:
        self.home = home
        found = free_ports(2 * MEMBERS)
        self.ports = [(found[2 * n], found[2 * n + 1]) for n in range(MEMBERS)]
        self.processes: dict[int, subprocess.Popen[bytes]] = {}
        self.quota = 0
        self.token = "first"
        self.generation = 0
        now = dt.datetime.now(dt.UTC)
        authority = make_authority("etcd", now)
        pem = authority.certificate.public_bytes(serialization.Encoding.PEM)
        (home / "ca.crt").write_bytes(pem)
        other = make_authority("etcd", now).certificate
        (home / "other-ca.crt").write_bytes(other.public_bytes(serialization.Encoding.PEM))
        one = issue(authority, Identity("etcd", "node", "member"), now, ["127.0.0.1", "localhost"])
        (home / "etcd.crt").write_bytes(one.certificate)
        write_file(home / "etcd.key", one.key, SECRET)

    @property
    def endpoints(self) -> list[str]:
        return [f"127.0.0.1:{client}" for client, _ in self.ports]

    def settings(self, prefix: str = "/mpower/", ca: str = "ca.crt") -> EtcdSettings:
        return EtcdSettings(
            endpoints=self.endpoints,
            ca=self.home / ca,
            certificate=self.home / "etcd.crt",
            key=self.home / "etcd.key",
            prefix=prefix,
        )

    # ------------------------------------------------------------------ members

    def data(self, member: int) -> Path:
        return self.home / f"member-{member}-{self.generation}"

    def start(self, *members: int) -> None:
        """Start these (none named: all), and wait until the etcd answers."""
        for member in members or range(MEMBERS):
            self.processes[member] = self._spawn(member)
        self.wait_well()

    def _spawn(self, member: int) -> subprocess.Popen[bytes]:
        client, peer = self.ports[member]
        tls = [f"--{side}{what}" for side in ("", "peer-") for what in self._tls()]
        argv = [
            "etcd",
            *("--name", f"m{member}"),
            *("--data-dir", str(self.data(member))),
            *("--listen-client-urls", f"https://127.0.0.1:{client}"),
            *("--advertise-client-urls", f"https://127.0.0.1:{client}"),
            *("--listen-peer-urls", f"https://127.0.0.1:{peer}"),
            *("--initial-advertise-peer-urls", f"https://127.0.0.1:{peer}"),
            *("--initial-cluster", self._cluster()),
            *("--initial-cluster-token", self.token),
            *([f"--quota-backend-bytes={self.quota}"] if self.quota else []),
            *("--log-level", "error"),
            *tls,
        ]
        with (self.home / f"m{member}.log").open("ab") as log:
            return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def _tls(self) -> list[str]:
        home = self.home
        return [
            f"cert-file={home / 'etcd.crt'}",
            f"key-file={home / 'etcd.key'}",
            f"trusted-ca-file={home / 'ca.crt'}",
            "client-cert-auth=true",
        ]

    def _cluster(self) -> str:
        return ",".join(f"m{n}=https://127.0.0.1:{peer}" for n, (_, peer) in enumerate(self.ports))

    def kill(self, *members: int) -> None:
        """End these at once (none named: all)."""
        for member in members or tuple(self.processes):
            process = self.processes.pop(member)
            process.kill()
            process.wait(10)

    def wait_well(self) -> None:
        """Until a member answers a linearizable read."""
        give_up_s = time.monotonic() + WAIT_S
        while True:
            said = self.ctl("get", "nothing", check=False)
            if said.returncode == 0:
                return
            assert time.monotonic() < give_up_s, said.stderr + self.logs()
            time.sleep(0.1)

    def leader(self) -> int:
        said = self.ctl("endpoint", "status", "-w", "json", check=False)
        for one in json.loads(said.stdout):
            if one["Status"]["leader"] == one["Status"]["header"]["member_id"]:
                return self.endpoints.index(one["Endpoint"].removeprefix("https://"))
        raise AssertionError(said.stdout + said.stderr)

    # ------------------------------------------------------------------ what an operator does

    def ctl(
        self, *words: str, member: int | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """``etcdctl`` on the members that run, or on one of them."""
        asked = sorted(self.processes) if member is None else [member]
        running = [self.endpoints[n] for n in asked]
        argv = [
            "etcdctl",
            f"--endpoints={','.join(f'https://{one}' for one in running)}",
            f"--cacert={self.home / 'ca.crt'}",
            f"--cert={self.home / 'etcd.crt'}",
            f"--key={self.home / 'etcd.key'}",
            *("--dial-timeout=2s", "--command-timeout=5s"),
            *words,
        ]
        said = subprocess.run(
            argv, capture_output=True, text=True, timeout=60, env=_ENVIRONMENT, check=False
        )
        assert not check or said.returncode == 0, said.stderr + said.stdout
        return said

    def snapshot(self, file: Path) -> None:
        """Take a snapshot from one member."""
        file.unlink(missing_ok=True)
        self.ctl("snapshot", "save", str(file), member=min(self.processes))

    def restore(self, file: Path, *, token: str = "") -> None:
        """Every member begins again on the snapshot, as the manual says; ``token``: as a new
        cluster.
        """
        self.kill()
        self.generation += 1
        self.token = token or self.token
        for member, (_, peer) in enumerate(self.ports):
            argv = [
                *("etcdctl", "snapshot", "restore", str(file)),
                *("--name", f"m{member}"),
                *("--data-dir", str(self.data(member))),
                *("--initial-cluster", self._cluster()),
                *("--initial-cluster-token", self.token),
                *("--initial-advertise-peer-urls", f"https://127.0.0.1:{peer}"),
            ]
            subprocess.run(argv, capture_output=True, timeout=60, env=_ENVIRONMENT, check=True)
        self.start()

    def begin_anew(self, token: str) -> None:
        """Every disk is lost: an empty etcd at the same addresses, of another cluster id."""
        self.kill()
        self.generation += 1
        self.token = token
        self.start()

    def logs(self) -> str:
        return "\n".join(one.read_text()[-2000:] for one in sorted(self.home.glob("*.log")))

    def close(self) -> None:
        self.kill()


_ENVIRONMENT = {"ETCDCTL_API": "3", "PATH": "/usr/bin:/bin:/usr/local/bin"}


@contextmanager
def etcd_members() -> Iterator[Members]:
    """Three members, not yet started."""
    home = Path(tempfile.mkdtemp(prefix="mpower-etcd-"))
    members = Members(home)
    try:
        yield members
    finally:
        members.close()
        shutil.rmtree(home, ignore_errors=True)
