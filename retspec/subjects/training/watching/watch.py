"""The watch: attaches to torch, notes what a training does, and ends it after so many optimizer steps."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any, NoReturn

from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from retspec.errors import DoesNotApply, SubjectError, describe
from retspec.subjects.training.watching.averages import Averages
from retspec.subjects.training.watching.backwards import BackwardUses, backward_passes_seen
from retspec.subjects.training.watching.criteria import Criteria, LossMode
from retspec.subjects.training.watching.forwards import Called, Forwards, tensors_in
from retspec.subjects.training.watching.hooks import ForwardHooks
from retspec.subjects.training.watching.launching import exit_code_of
from retspec.subjects.training.watching.living import Makings, step_count
from retspec.subjects.training.watching.loaders import Waits
from retspec.subjects.training.watching.loss_weight import loss_weight
from retspec.subjects.training.watching.optimizers import Applied, OptimizerLog
from retspec.subjects.training.watching.reading import loop_facts, training_facts
from retspec.subjects.training.watching.trainee import Trainee
from retspec.subjects.training.watching.unseen import unseen
from retspec.subjects.training.watching.world import World, without_gpu_synchronization

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from torch import Tensor, nn
    from torch.optim import Optimizer

    from retspec.facts import Training
    from retspec.facts.loop import Loop
    from retspec.subjects.training.watching.launching import Launch


_MOST_RAISED = 100
"""Times that a training may catch what ends it; one that catches it per batch still comes to the end of its data."""


class EndOfWatch(BaseException):
    """Ends the user's training; no Exception, so that no handler of theirs takes it for an error."""


class Watch:
    """What is noted while a training runs.

    steps: optimizer steps after which it ends: those of the optimizer with the most elements.
    """

    def __init__(
        self, launch: Launch, steps: int, progress: Callable[[int, int], None] = lambda _step, _total: None
    ) -> None:
        self.launch = launch
        self.requested = steps
        self.applied: list[Applied] = []
        self.logs: dict[int, OptimizerLog] = {}
        self.forwards = Forwards()
        self.criteria = Criteria()
        self.waits = Waits(self.forwards.feeders, one_batch=launch.one_batch)
        self.world = World()
        self._makings = Makings()
        self.averages = Averages()
        self.schedulers: list[tuple[Any, int]] = []
        """Each scheduler with its steps since the first optimizer step."""
        self._early_schedulers: list[Any] = []
        self._counts: dict[int, int] | None = None
        self.trainee: Trainee | None = None
        self.ending = ""
        self.backwards = 0
        self.uses = BackwardUses()
        self._mode = LossMode(self.criteria)
        self._raised = 0
        self._forward_hooks = ForwardHooks(self._before_forward, self._after_forward)
        self._stepping = 0
        self._started: float | None = None
        self._waited = 0.0
        self._owner = os.getpid()
        self.scalers: list[Any] = []
        self._loop: Loop | None = None
        self.training: Training | None = None
        self._progress = progress

    def run(self) -> Loop:
        """Start the training, come back when it has taken its steps or has ended by itself, and return what it showed.

        What it raises is a fact about it, and no error here. It may also catch what ends it, and go on to its own end.
        """
        try:
            with self._attached():
                self.launch.start()
            self._finish("it ended by itself")
        except EndOfWatch:
            pass
        except SystemExit as error:
            self._finish(f"it ended by itself, with exit code {exit_code_of(error)}")
        except (KeyboardInterrupt, SubjectError, DoesNotApply):  # the latter by a fault that retspec has planted
            raise
        except BaseException as error:  # noqa: BLE001 - see above
            self._finish(f"it raised {describe(error)}")
        return self._finish("")

    @contextmanager
    def _attached(self) -> Iterator[None]:
        with ExitStack() as stack:
            for handle in (
                register_optimizer_step_pre_hook(self._before_step),
                register_optimizer_step_post_hook(self._after_step),
            ):
                stack.callback(handle.remove)
            stack.callback(self._forward_hooks.remove)
            self._forward_hooks.on_all()
            stack.enter_context(self._makings.seen())
            stack.enter_context(self.waits.seen())
            stack.enter_context(backward_passes_seen(self._backward))
            if self.launch.cpu_ok:
                stack.enter_context(without_gpu_synchronization())
            if self.launch.ranks is not None:
                stack.enter_context(self.world.open())
            with self._mode:
                try:
                    yield
                finally:
                    self._mode.resume()

    def _outermost(self) -> list[nn.Module]:
        """Return the roots, and what they wrap, which a validation may call by itself.

        Inside what torch.compile compiles, a hook would break its graph.
        """
        roots = dict(self.forwards.roots)
        if any(type(root).__name__ == "OptimizedModule" for root in roots.values()):
            return list(roots.values())
        return list((roots | {id(each.module): each.module for each in self.forwards.called}).values())

    def _before_forward(self, module: nn.Module, _args: Sequence[Any]) -> None:
        if self._is_elsewhere:
            return
        if self._ended:
            self._end()
        if self._started is None:
            self._started, self._waited = perf_counter(), self.waits.seconds
        self.forwards.enter(module)

    def _after_forward(self, module: nn.Module, args: Sequence[Any], *rest: Any) -> None:
        """Note the end of a forward pass, given its keyword arguments and its output.

        After one that raised, `Module._call_impl` gives a hook on all modules no keyword arguments.
        """
        if self._is_elsewhere or self._ended:
            return
        if len(rest) == 1:
            self.forwards.give_up()
            return
        kwargs, output = rest
        self.forwards.leave(module, args, kwargs, output)
        if id(module) in self.forwards.roots and self.forwards.is_outside:
            self._note_batch(module, args, kwargs)
        if self.forwards.is_remembering:
            self.criteria.note_module(module, [*args, *kwargs.values()], output)

    def _note_batch(self, module: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        import torch

        tensors = [tensor for _, tensor in tensors_in(args, kwargs)]
        if tensors and torch.is_grad_enabled():
            self.forwards.note_batch(module, tensors, len(self.applied), self.waits.passes)

    def _backward(self, loss: Tensor | None, go_on: Callable[[], Any]) -> Any:
        if self._is_elsewhere or self._ended or self.forwards.in_backward:
            return go_on()
        if not self.backwards:
            self._meet()
        self.backwards += 1
        weight = None if loss is None else loss_weight(loss, self.criteria.nodes)
        value = None if loss is None else loss.detach()
        before = {key: log.before_backward(in_step=self._stepping > 0) for key, log in self.logs.items()}
        self.forwards.in_backward = True
        try:
            return go_on()
        finally:
            self.forwards.in_backward = False
            self.forwards.backward_followed()
            self.criteria.backward_followed()
            for key, signature in before.items():
                self.logs[key].after_backward_of(self.backwards, value, weight, signature)

    @unseen
    def _meet(self) -> None:
        """Find what trains, before the first step: optimizers, loss scalers, schedulers, and the module itself."""
        found = self._makings.found()
        self.scalers, self._early_schedulers = found.scalers, found.schedulers
        for optimizer in found.optimizers:
            self._log_of(optimizer)
        trained = {id(p): p for log in self.logs.values() for p in log.parameters}
        self.trainee = Trainee.among(self.forwards, trained)
        if not self.applied:
            self.averages.meet(self._makings.averages())

    def _log_of(self, optimizer: Optimizer) -> OptimizerLog:
        return self.logs.setdefault(id(optimizer), OptimizerLog(optimizer, len(self.logs), self.uses))

    def _before_step(self, optimizer: Optimizer, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        if self._is_elsewhere or self._ended:
            return
        self._stepping += 1
        if self.trainee is None:  # no backward pass was seen, or the optimizer was made after it
            self._meet()
        if self._stepping == 1:
            self._log_of(optimizer).before_step()
        if all(each is None for each in (*args[1:], kwargs.get("closure"))):
            self._mode.pause()

    def _after_step(self, optimizer: Optimizer, _args: Any, _kwargs: Any) -> None:
        if self._is_elsewhere:
            return
        self._mode.resume()
        if self._ended:
            self._end()
        self._stepping = max(self._stepping - 1, 0)
        if self._stepping:  # an optimizer inside another one, as in sharpness-aware minimization
            return
        now = perf_counter()
        seconds = 0.0 if self._started is None else now - self._started
        self.applied.append(self.logs[id(optimizer)].take(self.scale, seconds, self.waits.seconds - self._waited))
        if self._counts is None:
            self._counts = {id(each): step_count(each) for each in self._early_schedulers}
        self.criteria.step_taken()
        if self.forwards.is_remembering:
            self.forwards.step_taken()
            self._forward_hooks.only_on(self._outermost())  # one step has shown the others, and each hook costs
        self._started, self._waited = perf_counter(), self.waits.seconds
        taken = self.main.steps if self.main else 0
        self._progress(taken, self.requested)
        if taken >= self.requested:
            self._finish("")
            self._end()

    @unseen
    def _finish(self, ending: str) -> Loop:
        """Read what the training left, before anything of it unwinds; later calls return the same."""
        if self._loop is not None:
            return self._loop
        self.ending = ending
        before = self._counts or {}
        for scheduler in self._makings.found().schedulers:  # the constructor of a new one takes a first step
            self.schedulers.append((scheduler, step_count(scheduler) - before.get(id(scheduler), 1)))
        self._loop = loop_facts(self)
        if self.trainee is not None:
            self.training = training_facts(self, self.trainee)
        return self._loop

    def _end(self) -> NoReturn:
        """End the training; one that catches even this, step after step, ends with its process."""
        self._raised += 1
        if self._raised > _MOST_RAISED:
            sys.stderr.write(f"{self.launch.command} catches every exception, so that it cannot be ended\n")
            sys.stderr.flush()
            os._exit(os.EX_SOFTWARE)
        raise EndOfWatch

    @property
    def _ended(self) -> bool:
        return self._loop is not None

    @property
    def scale(self) -> float:
        """The loss scale; 1 without a scaler that is at work."""
        scales = [float(scaler.get_scale()) for scaler in self.scalers if scaler.is_enabled()]
        return max(scales, default=1.0)

    @property
    def first_call(self) -> Called | None:
        """How the module that trains was called in the first forward pass with gradients."""
        module = None if self.trainee is None else self.trainee.module
        return next((each for each in self.forwards.called if each.module is module), None)

    @property
    def main(self) -> OptimizerLog | None:
        """The optimizer with the most elements among those that took a step; None before the first one."""
        taken = [log for log in self.logs.values() if log.steps]
        return max(taken, key=lambda log: log.size, default=None)

    @property
    def _is_elsewhere(self) -> bool:
        """Whether this is a process that the training forked off, such as a worker of a DataLoader."""
        return os.getpid() != self._owner
