"""The runbook: what each alarm means, and the first thing to do about it.

One table for everybody who shows an alarm: ``mpower monitor``, ``mpower cluster status``, the
operator's manual. The machines send an alarm's name and its sentence of the moment; the advice is
here, so that it reads the same everywhere. Invariant (held by a test): every alarm that is raised
anywhere has its line. This file must not know when an alarm is raised.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Final

from msgspec import Struct


class Advice(Struct, frozen=True):
    """``means`` for the manual; ``do`` is the line beside the alarm: what to do first."""

    means: str
    do: str


RUNBOOK: Final[Mapping[str, Advice]] = {
    "one-copy": Advice(
        "The primary serves alone: what is paid now is on one server only. If that server's disk"
        " dies before the other is back, those payments are lost.",
        "Bring it back: power, network, 'systemctl start mpower-node' there; paused: mpower cluster"
        " resume.",
    ),
    "peer-silent": Advice(
        "The other node's PostgreSQL copies every payment, but its daemon is not heard on any path:"
        " it hangs, or only the database's way is open. Should the primary fail now, nobody takes"
        " over.",
        "On that server: 'systemctl status mpower-node' and its log; restart it there.",
    ),
    "no-arbiter": Advice(
        "This node does not hear the arbiter. Payments go on, but should the primary fail now,"
        " nobody takes over by itself.",
        "Start the witness: 'systemctl start mpower-witness' there; or look at the network to it.",
    ),
    "isolated": Advice(
        "This primary has no link to the arbiter nor to the other node that is alive both ways, so"
        " another may be primary by now: it serves nobody until one is.",
        "Look at this server's network: its cables, its switch. Do not restart it first.",
    ),
    "cannot-serve": Advice(
        "This node should be the primary and its PostgreSQL cannot serve; it offers its place to"
        " the other node.",
        "Read the reason in the alarm and PostgreSQL's log on this node: disk, memory, settings.",
    ),
    "doors-shut": Advice(
        "This node is the primary and its database is open, but what serves the counters cannot"
        " start, for the reason in the alarm: nobody can pay. After an upgrade the release here may"
        " not fit the database. It is tried again every second.",
        "Was it upgraded: 'mpower cluster switchover' to the other release; else read its log.",
    ),
    "set-back": Advice(
        "This node served alone, and its copy now ends before what it had acknowledged: its disk"
        " was set back to an older snapshot. It does not serve: payments would be lost and their"
        " receipt numbers given twice. Nobody follows it meanwhile. Put the newest copy of this"
        " disk back. If there is none, one must do, and what it lacks is lost: power one server"
        " off, and on the other one's node: mpower cluster failover --force --accept-data-loss"
        " (--to NODE).",
        "Put the newest copy of this disk back; else: mpower cluster failover --force.",
    ),
    "copy-ahead": Advice(
        "This standby had replayed more of the log than its primary had when its PostgreSQL began:"
        " that server's disk lost an end that it had confirmed. The primary serves on without it;"
        " this copy cannot go on in the new log, and a fresh one is made by itself. Payments of"
        " the last moment before that fall may be missing: compare the counters' receipts.",
        "Find out why the primary's disk lost it: a cache without a battery, a dying disk.",
    ),
    "keeps-failing": Advice(
        "This node tries to do something (start PostgreSQL, copy the other's data …) and it fails"
        " each time. It goes on trying, ever more slowly.",
        "Read the reason in the alarm; it is PostgreSQL's or the system's own. Put that right.",
    ),
    "starved": Advice(
        "The whole machine is so busy that PostgreSQL did not answer a probe in time. That is borne"
        " for 20 seconds; then it counts as hung and the standby takes over.",
        "Find what eats the processors or the disk: 'top', 'iotop', backups, virus scanners.",
    ),
    "disk-low": Advice(
        "The disk of this node's data folder fills up. Nothing is wrong yet. When it is full, the"
        " node gives up the room it has set aside and hands its place to the other one.",
        "Make room, or a larger disk: 'du -x -h -d2' of the data folder; old logs, old copies.",
    ),
    "disk-full": Advice(
        "There is no room left for the database's log. The ballast was given up; the standby, if it"
        " is ready, takes over. What is down here is started again when there is room.",
        "Make room, at least a gigabyte; the node goes on and lays its ballast again by itself.",
    ),
    "disk-slow": Advice(
        "A small write to this node's disk took longer than half a second: payments feel it.",
        "Look at 'iostat -x 1', at the RAID's state (/proc/mdstat), at backups running now.",
    ),
    "disk-dead": Advice(
        "This node's disk does not answer, is read-only or refuses writes. If it was the primary,"
        " the standby takes over; nothing is started here before the disk can be written again.",
        "Read the kernel's log ('dmesg'); replace the disk or mount it again, then look at status.",
    ),
    "cannot-keep": Advice(
        "This node cannot write down which record it has seen (the disk is full, read-only or"
        " broken). It serves on, but asks the arbiter for nothing: no takeover, no going alone.",
        "Make room on the disk of the node's data folder, or replace it; it goes on by itself.",
    ),
    "unfit": Advice(
        "The other server's copy is not counted on, because a setting of one of the two PostgreSQL"
        " servers, or what streams under the other's name, would make it worthless when it is"
        " needed. While it lasts the pair does not come in sync. SQL that is asked for is typed on"
        " that server as the database's user: psql -h DATA/postgres/run -p PORT postgres, DATA its"
        " 'data:' and PORT that of its 'postgres:' in the settings.",
        "Do what 'mpower cluster doctor' says for each point; the pair then syncs by itself.",
    ),
    "switchover-aborted": Advice(
        "A switchover that was asked for was not carried out; the primary serves as before. It is"
        " not tried again by itself.",
        "Mend what the alarm names, look at 'mpower cluster explain', then ask for it again.",
    ),
    "arbiter-rolled-back": Advice(
        "The arbiter holds an older record than a node has already seen: its disk was restored or"
        " replaced. Nothing is decided on such a record.",
        "Stop whatever restored it; then 'mpower cluster arbiter rebuild' with both nodes up.",
    ),
    "arbiter-unconfirmed": Advice(
        "The arbiter began again (its process, or an etcd that was restored) and waits until both"
        " nodes have told it which epoch they know: until then nobody takes over or goes alone.",
        "Start the node that is named; if it is lost: 'mpower cluster arbiter confirm'.",
    ),
    "arbiter-moved": Advice(
        "The record is being moved to another arbiter: the old one is closed for good, the new one"
        " does not have it yet. Between the two nobody takes over.",
        "Ask once more for 'mpower cluster arbiter replace': it goes on where it stopped.",
    ),
    "arbiter-other": Advice(
        "The endpoints lead to another etcd than the one this node has worked with. Two of them"
        " could name two primaries, so it is not believed.",
        "Compare cluster.etcd.endpoints on both nodes; for an etcd made anew, rebuild the arbiter.",
    ),
    "etcd-full": Advice(
        "etcd has reached its space quota and refuses writes: nobody takes over or goes alone.",
        "etcdctl compact, then defrag, then alarm disarm; then look what fills it.",
    ),
    "etcd-too-old": Advice(
        "A member of the etcd is of a release that can lose writes it has acknowledged.",
        "Update every member to 3.4.22, 3.5.6 or later; it is asked again by itself.",
    ),
    "takeovers-capped": Advice(
        "The servers took over from each other so often within an hour that the cluster has paused"
        " itself: what makes them fail goes with the role. The present primary serves on, with one"
        " copy: what died on the other server stays down, so that the second copy does not come"
        " back by itself, and if the primary fails now, nobody takes over and the counters stand."
        " Both last until 'mpower cluster resume', which starts what is down, brings the second"
        " copy in sync and counts the takeovers anew. If the trouble cannot be mended at once, have"
        " the second copy back without takeovers: restart the daemon of the other server"
        " ('systemctl restart mpower-node' there). The cap is cluster.timers.takeovers_per_hour.",
        "See 'mpower cluster history' for what failed, mend it, then 'mpower cluster resume'.",
    ),
    "link-down": Advice(
        "One of the links between the nodes carries nothing both ways, while another does: all goes"
        " on, but the next cut may be the last one.",
        "Look at the cable, port and switch of the named link; counters are not affected.",
    ),
    "fault": Advice(
        "This node met an error of its own and serves nothing until it has judged its state anew.",
        "Keep its log with the fault's id for support; if it does not recover, restart the node.",
    ),
    "unexpected": Advice(
        "Something happened in a state where it should not: a mistake in mPower. The node goes on"
        " as its state says.",
        "Nothing at once: report the alarm's sentence with the log of that minute.",
    ),
    "callback-failed": Advice(
        "One of your own programs (callbacks in the node's settings) failed, was killed at its"
        " deadline, or is too slow for its event. The node itself is not concerned.",
        "Read its last words in the alarm and the log; run it by hand with the same MPOWER_*.",
    ),
    "no-ops-port": Advice(
        "The node's port for health, metrics and events could not be opened: another program has"
        " its address. The node itself works; monitoring does not see it.",
        "Find who has the port ('ss -ltnp') or set ops.listen to a free one and restart.",
    ),
    "certificate-ends": Advice(
        "A certificate of this node ends within 30 days, has ended or cannot be read. From the day"
        " it ends the other machines and the counters refuse this node.",
        "'mpower pki renew node NAME', bring it as it says, restart it (docs/security/pki.md).",
    ),
    "crl-ends": Advice(
        "The list of revoked certificates ends within 30 days, has ended or cannot be read. A list"
        " that ended could hide a stolen terminal, so from that moment nobody new is let in; who is"
        " connected stays.",
        "'mpower pki publish' where the authority's key is, then the lines it prints; no restart.",
    ),
    "audit-unsigned": Advice(
        "The audit is written and chained, but no checkpoint of it is signed: until one is, who has"
        " the database's own rights could write the newest entries anew. Payments go on; the next"
        " checkpoint covers what was written meanwhile.",
        "Put the board's audit.key where audit.signing_key says, mode 0400 ('mpower pack NODE').",
    ),
    "audit-contradicted": Advice(
        "What the database says was signed is not what this board signed: its audit was set back or"
        " written anew. Payments go on; nothing is signed on top of it.",
        "Run 'mpower audit verify', keep its answer; copy the disk before anything else is done.",
    ),
    "audit-behind": Advice(
        "The audit here does not extend the checkpoint that is kept outside: the database was set"
        " back or written anew, or a forced failover gave payments up. Payments go on and are"
        " signed.",
        "Unless a failover was forced: run 'mpower audit verify', keep its answer, copy the disk.",
    ),
    "verification-stuck": Advice(
        "A verification that was asked for does not get on: its next step fails each time, for the"
        " reason in the alarm. What was posted before it stands, nothing of the step is posted,"
        " payments go on; the receipts from the named one on, and verifications asked for later,"
        " wait. It is tried again every second and goes on by itself when the reason is gone. If"
        " the reason is that it did not end in time, somebody holds its accounts: see"
        " pg_stat_activity on the primary. Else keep the receipt's number and the log of that"
        " minute for support. (A receipt that breaks a rule of mPower's own is left as FAILED by"
        " itself, and named by 'mpower receipts verify --number N'.) 'verify C001 DATE RECEIPT ...'"
        " at a counter verifies other receipts by their numbers meanwhile.",
        "End what holds its accounts; else keep the receipt's number and the log for support.",
    ),
    "break-glass": Advice(
        "An emergency power stands: somebody holds it in the named office, up to the named value,"
        " for a few hours; two administrators gave it.",
        "Know who and why ('mpower admin emergency list'); 'mpower admin withdraw' ends it.",
    ),
    "break-glass-review": Advice(
        "An emergency power is over; nobody who neither gave nor held it has looked yet at what was"
        " decided with it.",
        "Look: 'mpower admin emergency list'; say what you found: 'mpower admin emergency review'.",
    ),
    "certificate-unsigned": Advice(
        "A machine has asked over its link for its next certificate and nobody has signed it for a"
        " day. It works on until the present one ends.",
        "'mpower pki waiting', then 'mpower pki sign --waiting' where the authority's key is.",
    ),
    "certificate-copied": Advice(
        "Two machines use one terminal's certificate and keep displacing each other: a terminal was"
        " copied, or its key was stolen. The newest connection wins each time, so its counter works"
        " with breaks.",
        "Find both addresses ('displaced' in the log); 'mpower pki revoke' it, issue each its own.",
    ),
}

UNKNOWN: Final = Advice(
    "This release's runbook does not know the alarm: the node may be of a newer one.",
    "Update mpower on this machine; until then go by the alarm's own sentence.",
)


def advice(kind: str) -> Advice:
    """The runbook's line for this alarm."""
    return RUNBOOK.get(kind, UNKNOWN)


def manual_page() -> str:
    """``docs/operator/alarms.md``: the whole table for the manual."""
    parts = [
        "# Alarms: what each means and what to do first\n",
        "<!-- Written from protocols/runbook.py by `python -m tests.protocols.alarms`. -->\n",
        _wrapped(
            "`mpower monitor` and `mpower cluster status` show an alarm with the sentence of the"
            " moment and the line below; `/events` and the log carry its name. An alarm ends by"
            " itself when its cause does."
        ),
    ]
    for kind, line in RUNBOOK.items():
        parts += [f"## {kind}\n", _wrapped(line.means), _wrapped(f"**Do:** {line.do}")]
    return "\n".join(parts)


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 100, break_long_words=False, break_on_hyphens=False) + "\n"
