"""A Slurm cluster of two nodes on this machine: daemons as root, without systemd, in a folder of its own.

Each node is a slurmd with a name, a port and a spool of its own, which Slurm calls multiple slurmd support:
https://slurm.schedmd.com/programmer_guide.html. There is no accounting.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NODES = ("n1", "n2")
CONTROLLER = "slurmctld"
PROGRAMS = ("munged", CONTROLLER, "slurmd", "sbatch", "squeue", "sinfo", "scontrol", "scancel")
LARGEST_ARRAY = 400
PATIENCE = 60.0
"""Seconds that something may take."""

_CONF = """\
ClusterName=retspec
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
AuthType=auth/munge
# A job that is started again waits until its first credential has expired: two minutes by default.
AuthInfo=socket={folder}/munge.socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmdParameters=config_overrides
SchedulerParameters=bf_interval=1,sched_interval=2
ReturnToService=2
MessageTimeout=5
SlurmdTimeout=10
KillWait=3
MaxArraySize={largest}
GresTypes=gpu
{nodes}
PartitionName=short Nodes=ALL Default=YES MaxTime=60 PriorityTier=1
PartitionName=urgent Nodes=ALL MaxTime=60 PriorityTier=2 PreemptMode=OFF
"""
_NODE = "NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=4 RealMemory=8000{more}"
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
_MARK = "RETSPEC_TEST_NODE"
"""A variable that slurmd gives its slurmstepd; what these start has SLURMD_NODENAME."""


def why_not() -> str:
    """Return why no cluster can be started here; empty where it can."""
    if missing := [name for name in PROGRAMS if shutil.which(name, path=_PATH) is None]:
        return f"no {missing[0]}: install slurmctld, slurmd, slurm-client and munge"
    return "" if os.geteuid() == 0 else "the daemons of Slurm need root"


class Cluster:
    """The daemons by their names: munged, slurmctld, and those of the nodes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.conf = folder / "slurm.conf"
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def write(self) -> None:
        """Write the configuration."""
        host, ports = socket.gethostname().partition(".")[0], _free_ports(1 + len(NODES))
        nodes = [
            _NODE.format(name=name, host=host, port=port, more=" Gres=gpu:1" if name == NODES[0] else "")
            for name, port in zip(NODES, ports[1:], strict=True)
        ]
        given = {"host": host, "port": ports[0], "largest": LARGEST_ARRAY, "nodes": "\n".join(nodes)}
        self.conf.write_text(_CONF.format(folder=self.folder, **given))
        (self.folder / "gres.conf").write_text(f"NodeName={NODES[0]} Name=gpu File=/dev/null\n")
        (self.folder / "state").mkdir()
        key = self.folder / "munge.key"
        key.touch(0o600)
        key.write_bytes(os.urandom(128))

    def start(self, name: str) -> None:
        """Start a daemon."""
        with (self.folder / f"{name}.out").open("ab") as output:
            self._running[name] = subprocess.Popen(
                self._command(name),
                env={"PATH": _PATH, "SLURM_CONF": str(self.conf), _MARK: name},
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def _command(self, name: str) -> list[str]:
        if name == "munged":
            files = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
            options = [f"--{option}={self.folder}/munge.{ending}" for option, ending in files.items()]
            return ["munged", "--foreground", "--force", *options]
        if name == CONTROLLER:
            return ["slurmctld", "-D", "-f", str(self.conf)]
        return ["slurmd", "-D", "-f", str(self.conf), "-N", name]

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Kill a daemon; a node goes with all that runs on it. With SIGTERM, the controller saves its state."""
        process = self._running.pop(name)
        process.send_signal(number)
        process.wait(PATIENCE)
        if name in NODES:
            self._end(f"{_MARK}={name}", f"SLURMD_NODENAME={name}")
        else:
            self._end(f"{_MARK}={name}")

    def _end(self, *marks: str) -> None:
        """Kill the processes of this cluster that have one of these variables; slurmstepd comes first."""
        for mark in marks:
            for path in Path("/proc").glob("[0-9]*"):
                with suppress(OSError):
                    variables = (path / "environ").read_bytes().split(b"\0")
                    if f"SLURM_CONF={self.conf}".encode() in variables and mark.encode() in variables:
                        os.kill(int(path.name), signal.SIGKILL)

    def ask(self, *command: str) -> str:
        """Return what a command of Slurm prints; empty where it fails."""
        environment = {"PATH": _PATH, "SLURM_CONF": str(self.conf)}
        answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
        return answer.stdout if answer.returncode == 0 else ""

    @property
    def jobs(self) -> list[str]:
        """The jobs that have not ended."""
        return self.ask("squeue", "--noheader", "--array", "--format=%i %T").splitlines()

    def wait_until_up(self) -> None:
        """Wait until both nodes take jobs."""
        states = ("sinfo", "--noheader", "--Node", "--partition=short", "--format=%T")
        wait_until(lambda: self.ask(*states).split() == ["idle"] * len(NODES), "the nodes")

    def be_free(self) -> None:
        """Cancel every job, and start again what was killed."""
        for name in (CONTROLLER, *NODES):
            if name not in self._running:
                self.start(name)
        wait_until(lambda: self.ask("scontrol", "ping"), "the controller")
        wait_until(lambda: not self.ask("scancel", "--user=root") and not self.jobs, "jobs to end")
        for name in NODES:
            self.ask("scontrol", "update", f"NodeName={name}", "State=RESUME")
        self.wait_until_up()

    def stop(self) -> None:
        """End everything."""
        for name in reversed([*self._running]):
            self.kill(name)


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Yield a cluster that answers; it is gone afterwards, with all that it started."""
    folder = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))  # a short path, for a socket
    folder.chmod(0o755)
    found = Cluster(folder)
    try:
        found.write()
        found.start("munged")
        wait_until((folder / "munge.socket").exists, "munged")
        for name in (CONTROLLER, *NODES):
            found.start(name)
        found.wait_until_up()
        yield found
    finally:
        found.stop()
        shutil.rmtree(folder, ignore_errors=True)


def wait_until(happened: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Wait until something is true; raises TimeoutError."""
    end = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.1)


def _free_ports(number: int) -> list[int]:
    """Return ports that are free now, outside of those that the system itself takes for connections."""
    found: list[int] = []
    for port in random.SystemRandom().sample(range(10_000, 32_000), 1_000):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            found.append(port)
        if len(found) == number:
            break
    return found
