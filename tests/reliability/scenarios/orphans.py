"""What a check starts ends with its worker, however it leaves the worker's process group."""

from __future__ import annotations

from tests.reliability.harm import none_left, plugin, spec
from tests.reliability.scenario import Scenario

GROUP = "Orphans"
CHILD = "sleep 600 & echo $! > pids.part; mv pids.part pids"
WAIT = """
while not os.path.exists("pids"):
    time.sleep(0.01)
"""
CRASH = "os.abort()"


def leaves(fault: str, start: str, end: str = "") -> Scenario:
    """Return a check that starts a process, and then is met, or crashes."""
    return Scenario(
        group=GROUP,
        fault=fault,
        spec=spec(),
        files=plugin(start + WAIT + end),
        exit_code=3 if end else 0,
        sees="harmful: crash (the worker was killed by SIGABRT)" if end else "3 criteria: 3 met",
        verdicts={"before": "met", "harmful": "crash" if end else "met", "after": "met"},
        afterwards=none_left,
    )


SESSION = f"subprocess.Popen(['sh', '-c', {CHILD + '; wait'!r}], start_new_session=True)"
GROUP_OF_ITS_OWN = f"subprocess.Popen(['sh', '-c', {CHILD + '; wait'!r}], process_group=0)"
TWICE = f"subprocess.run(['setsid', 'sh', '-c', {'(' + CHILD + ') &'!r}], check=True)"
BARE = f"subprocess.run(['env', '-i', 'setsid', 'sh', '-c', {'(' + CHILD + ') &'!r}], check=True)"
SCENARIOS = [
    leaves("a child in a session of its own outlives its check", SESSION),
    leaves("a child in a session of its own outlives a crash", SESSION, CRASH),
    leaves("a child in a process group of its own outlives its check", GROUP_OF_ITS_OWN),
    leaves("a process that was forked twice outlives its check", TWICE),
    leaves("a process that was forked twice outlives a crash", TWICE, CRASH),
    leaves("a process that was forked twice, without the environment of its worker, outlives its check", BARE),
]
