"""The measurement `config_reads`: the user's own training once more, in a process of its own, its config followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.errors import Inconclusive
from retspec.facts import FollowedConfig
from retspec.plugin import Cost, Passes, measurement

if TYPE_CHECKING:
    from retspec.records import Config
    from retspec.subjects.training.watching.watched import WatchedRun


@measurement(cost=Cost.TRAINING, passes=lambda recipe: Passes(steps=recipe.steps))
def config_reads(watched_run: WatchedRun, config: Config) -> FollowedConfig:
    """Run the training once more in a fresh process, and note which keys of the config it reads.

    Raises Inconclusive when it did not read the file, or read it in a way that cannot be followed.
    """
    trace = watched_run.again(config=config.file)
    reads = trace.config
    if reads is None or not reads.opened:
        raise Inconclusive(f"{trace.command} did not open {config.file}; name the config that it reads as `config`")
    if not reads.followed:
        raise Inconclusive(f"{trace.command} read {config.file} neither with `yaml` nor with `json`")
    before = len(watched_run.loop.main_steps) if watched_run.loop.optimizers else 0
    if len(trace.rates) < before and trace.ending != watched_run.loop.ending:
        raise Inconclusive(f"{trace.command} did not come as far while its config was followed: {trace.ending}")
    return FollowedConfig(trace.command, len(trace.losses), trace.ending, reads)
