"""Why a job waits: https://slurm.schedmd.com/job_reason_codes.html."""

from __future__ import annotations

_NEVER = "; it never starts as it is"
_WORDS = {
    "AccountNotAllowed": f"the partition does not take resources.account{_NEVER}",
    "BadConstraints": f"no node can give what resources asks for{_NEVER}",
    "DependencyNeverSatisfied": "the job on which it depends did not end as required; it never starts",
    "InvalidAccount": f"there is no such account; see resources.account{_NEVER}",
    "InvalidQOS": f"there is no such quality of service; see resources.qos{_NEVER}",
    "JobArrayTaskLimit": "as many tasks run as the array allows",
    "JobHeldAdmin": "an administrator holds it",
    "JobHeldUser": "it is held; `scontrol release` lets it start",
    "JobHoldMaxRequeue": "Slurm has started it too often, and holds it; `scontrol release` lets it start",
    "launch_failed_requeued_held": "no node could start it, and Slurm holds it; `scontrol release` lets it start",
    "NodeDown": "a node that it needs is down",
    "PartitionConfig": f"the partition has no node with so many cores, GPUs or so much memory{_NEVER}",
    "PartitionDown": "the partition is down",
    "PartitionInactive": "the partition starts no jobs now",
    "PartitionNodeLimit": f"the partition allows fewer nodes{_NEVER}",
    "PartitionTimeLimit": f"the partition allows less time than resources.hours{_NEVER}",
    "QOSNotAllowed": f"the partition does not take resources.qos{_NEVER}",
    "ReqNodeNotAvail": "a node that it needs is down or reserved",
    "ReservationDeleted": f"its reservation was deleted{_NEVER}",
}
"""Words for what needs some. Others are clear, as Resources and Priority are, or belong to a limit of the site."""
_OF_LIMITS = {
    "Assoc": "a limit of your account",
    "QOS": "a limit of the quality of service",
}


def why_it_waits(reason: str) -> str:
    """Return Slurm's reason, with words where they help; nothing for none.

    Some reasons go on behind a comma, as `ReqNodeNotAvail,_UnavailableNodes:n1`.
    """
    if reason in ("", "None", "(null)"):
        return ""
    term, _, _ = reason.strip("()").partition(",")
    words = _WORDS.get(term.replace(" ", "_")) or next(
        (words for start, words in _OF_LIMITS.items() if term.startswith(start)), ""
    )
    said = reason.strip("()").replace(",_", ", ")
    return f"{said}: {words}" if words else said
