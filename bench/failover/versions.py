"""The peers we measure ourselves against, pinned: what is installed, and at which version.

All run the PostgreSQL of the system, the very binaries ours runs. This file must not know how
anything is installed.
"""

from __future__ import annotations

from typing import Final

POSTGRES_MAJOR: Final = 15

PATRONI: Final = (
    "patroni[psycopg3,etcd3]==4.1.5",
    "psycopg[binary]==3.3.9",
    "psycopg-binary==3.3.9",
    "click==8.5.1",
    "dnspython==2.9.2",
    "prettytable==3.18.0",
    "psutil==7.2.2",
    "python-dateutil==4.0.0",
    "python-etcd==0.4.5",
    "pyyaml==6.0.3",
    "six==1.17.0",
    "typing-extensions==4.16.0",
    "tzdata==2026.6",
    "urllib3==2.8.0",
    "wcwidth==0.9.4",
    "ydiff==1.4.2",
)
"""From the Python index, into an environment of their own."""

PG_AUTO_FAILOVER: Final = {
    "postgresql-15-auto-failover": "2.0-2+b1",
    "pg-auto-failover-cli": "2.0-2+b1",
}
"""From Debian, unpacked beside a copy of the system's PostgreSQL; nothing is installed."""

ETCD: Final = "3.4"
"""What Patroni keeps its state in: Debian's etcd-server, one member on the third host. One is the
quickest; three would survive the loss of a host, which nobody strikes here.
"""
