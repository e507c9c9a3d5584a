"""Looking at processes, with nothing that a slim container lacks."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path


def is_running(pid: int) -> bool:
    """Whether a process is there, and no mere zombie that waits for its parent to look."""
    if not Path("/proc/self/stat").exists():  # macOS has `ps` instead
        command = ["ps", "-o", "stat=", "-p", str(pid)]
        state = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
        return bool(state) and not state.startswith("Z")
    with suppress(FileNotFoundError, ProcessLookupError):
        # PID (NAME) STATE …: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] not in {b"Z", b"X"}
    return False
