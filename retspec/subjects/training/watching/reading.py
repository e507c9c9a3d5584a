"""Turning what was noted into facts."""

from __future__ import annotations

from itertools import accumulate
from math import isfinite, isnan, log
from typing import TYPE_CHECKING

from retspec.facts import GradientHistory, Training
from retspec.facts.loop import (
    Loop,
    WatchedBatch,
    WatchedGroup,
    WatchedOptimizer,
    WatchedScheduler,
    WatchedStep,
    is_image,
)
from retspec.subjects.models.structure import drifted, groups
from retspec.subjects.training.norms import finite, total
from retspec.subjects.training.reach import goal_of, is_out_of_reach

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor, nn

    from retspec.subjects.training.watching.forwards import Entered
    from retspec.subjects.training.watching.optimizers import Applied, OptimizerLog
    from retspec.subjects.training.watching.trainee import Trainee
    from retspec.subjects.training.watching.watch import Watch


def loop_facts(watch: Watch) -> Loop:
    """Return what the loop showed."""
    stepping = [each for each in watch.logs.values() if each.steps]
    order = {each.index: place for place, each in enumerate(stepping)}
    names = _names(watch)
    forwards, trainee = watch.forwards, watch.trainee
    root = root_key(watch)
    batches = [each for each in forwards.entered if each.root == root]
    autocast_dtype, device = forwards.autocast.get(root, ("", ""))
    evaluated = list(evaluated_roots(watch))
    vectors = [p for each in stepping for p in each.parameters if p.dim() <= 1]
    scales = _scales(watch)
    averages, still_averages = watch.averages.found()
    return Loop(
        command=watch.launch.command,
        requested=watch.requested,
        ending=watch.ending,
        model="" if trainee is None else type(trainee.module).__name__,
        optimizers=tuple(_optimizer(each, names) for each in stepping),
        steps=tuple(_step(each, order[each.optimizer]) for each in watch.applied),
        schedulers=tuple(_schedulers(watch, stepping)),
        unowned=tuple(_unowned(watch, names)) if stepping else (),
        foreign=tuple(_foreign(stepping, watch)),
        vectors=tuple(_named(p, names) for p in vectors),
        scales=tuple(_named(p, names) for p in vectors if id(p) in scales),
        forwards=sum(forwards.trainings.values()) if trainee is None else forwards.trainings.get(root, 0),
        eval_leaves=tuple(forwards.eval_leaves(root)),
        evaluations=sum(forwards.evaluations[key] for key in evaluated),
        train_mode_evaluations=sum(forwards.train_mode_evaluations(key) for key in evaluated),
        criterion=watch.criteria.first,
        autocast_dtype=autocast_dtype,
        batch=_batch(watch),
        batches=len(batches),
        distinct=len({each.seal for each in batches}),
        from_loader=watch.waits.batches > 0,
        repeated=0 if watch.launch.one_batch else _repeated(watch, batches),
        scaler=any(scaler.is_enabled() for scaler in watch.scalers),
        backwards=watch.backwards,
        backwards_without_step=watch.uses.without_step,
        one_batch=watch.launch.one_batch,
        workers=watch.waits.workers,
        device=device,
        averages=averages,
        still_averages=still_averages,
    )


def training_facts(watch: Watch, trainee: Trainee) -> Training:
    """Return the same as the facts that a training of retspec's own gives."""
    main = watch.main
    applied = [each for each in watch.applied if main is not None and each.optimizer == main.index]
    losses = [_mean_loss(each) for each in applied]
    nonfinite = next((index for index, loss in enumerate(losses) if loss is not None and not isfinite(loss)), None)
    known = losses[:nonfinite] if None not in losses else []
    criterion = watch.criteria.first
    batch = _batch(watch)
    return Training(
        steps=watch.requested,
        losses=tuple(loss for loss in known if loss is not None),
        nonfinite_loss_at=nonfinite,
        nonfinite_operation="",
        gradients=tuple(_histories(watch, trainee, applied)),
        drifted=tuple(drifted(trainee.module, trainee.frozen, trainee.still, trainee.buffers)),
        chance_loss=log(criterion.classes) if criterion and criterion.classes and criterion.classes > 1 else None,
        seconds=tuple(each.seconds for each in applied),
        batch_size=(batch.shape[0] if batch else 0) * max([each.backwards for each in applied], default=1),
        skipped=None,
    )


def _step(applied: Applied, optimizer: int) -> WatchedStep:
    scale = applied.scale
    after = None if applied.after_backward is None else total(applied.after_backward) / scale
    return WatchedStep(
        optimizer=optimizer,
        backwards=applied.backwards,
        fed=applied.fed,
        stale=applied.stale,
        losses=tuple(float(loss) / scale for loss in applied.losses if loss is not None),
        weights=tuple(None if weight is None else weight / scale for weight in applied.weights),
        norm_after_backward=finite(after),
        norm=finite(total(applied.at_step)),
        seconds=applied.seconds,
        waited=applied.waited,
    )


def _mean_loss(applied: Applied) -> float | None:
    """Return the mean loss of a step; None where a backward pass started from no single scalar, or none was seen."""
    losses = [loss for loss in applied.losses if loss is not None]
    if not losses or len(losses) < len(applied.losses):
        return None
    summed = sum(map(float, losses)) / applied.scale
    weights = [weight for weight in applied.weights if weight is not None]
    known = len(weights) == len(applied.losses) and sum(weights) > 0
    return summed / (sum(weights) / applied.scale if known else len(applied.losses))


def _optimizer(each: OptimizerLog, names: dict[int, str]) -> WatchedOptimizer:
    groups = [
        WatchedGroup(
            parameters=tuple(_named(parameter, names) for parameter in group["params"]),
            weight_decay=float(group.get("weight_decay") or 0),
            rates=tuple(rates[index] for rates in each.rates if index < len(rates) and not isnan(rates[index])),
        )
        for index, group in enumerate(each.optimizer.param_groups)
    ]
    return WatchedOptimizer(kind=type(each.optimizer).__name__, size=each.size, groups=tuple(groups))


def _names(watch: Watch) -> dict[int, str]:
    """Return the names of all parameters of modules that ran; those of other modules carry the class in front."""
    main = watch.trainee.module if watch.trainee is not None else None
    names = {
        id(parameter): f"{type(root).__name__}.{name}"
        for root in watch.forwards.roots.values()
        for name, parameter in root.named_parameters()
    }
    return names | ({} if main is None else {id(p): name for name, p in main.named_parameters()})


def _named(parameter: Tensor, names: dict[int, str]) -> str:
    return names.get(id(parameter)) or f"a tensor of shape {tuple(parameter.shape)}"


def root_key(watch: Watch) -> int:
    """Return the identity of the outermost module around the one that trains."""
    if watch.trainee is None:
        return 0
    inside = [
        key for key, root in watch.forwards.roots.items() if any(m is watch.trainee.module for m in root.modules())
    ]
    return inside[0] if inside else id(watch.trainee.module)


def evaluated_roots(watch: Watch) -> Iterator[int]:
    """Give the identities of the outermost modules that ran without gradients and have parameters of the trainee."""
    own = set() if watch.trainee is None else {id(p) for p in watch.trainee.module.parameters()}
    for key, module in watch.forwards.evaluated.items():
        if any(id(parameter) in own for parameter in module.parameters()):
            yield key


def _repeated(watch: Watch, batches: Sequence[Entered]) -> int:
    """Return how many batches had entered before an earlier step of the main optimizer, in the same pass."""
    main = watch.main
    steps = [0, *accumulate(main is not None and each.optimizer == main.index for each in watch.applied)]
    first: dict[tuple[int, bytes], int] = {}
    return sum(first.setdefault((each.passes, each.seal), steps[each.steps]) < steps[each.steps] for each in batches)


def _running(watch: Watch) -> Iterator[nn.Module]:
    """Give the modules that ran with gradients; copies that merely lie in a module that ran are left out."""
    for root in watch.forwards.roots.values():
        yield from (module for module in root.modules() if id(module) in watch.forwards.ran)


def _unowned(watch: Watch, names: dict[int, str]) -> list[str]:
    owned = {id(parameter) for each in watch.logs.values() for parameter in each.parameters}
    own = {id(p): p for module in _running(watch) for p in module.parameters(recurse=False) if p.requires_grad}
    return [_named(parameter, names) for key, parameter in own.items() if key not in owned]


def _foreign(stepping: Sequence[OptimizerLog], watch: Watch) -> list[str]:
    known = {id(p) for root in watch.forwards.roots.values() for p in root.parameters()}
    return [
        f"{type(each.optimizer).__name__}: a tensor of shape {tuple(parameter.shape)}"
        for each in stepping
        for parameter in each.parameters
        if id(parameter) not in known and id(parameter) not in each.ever_fed
    ]


def _scales(watch: Watch) -> set[int]:
    """Return the identities of the weights of normalization layers: one dimension, in a class named so."""
    return {
        id(parameter)
        for module in _running(watch)
        if "norm" in type(module).__name__.lower()
        for name, parameter in module.named_parameters(recurse=False)
        if parameter.dim() == 1 and name != "bias"
    }


def _schedulers(watch: Watch, stepping: Sequence[OptimizerLog]) -> Iterator[WatchedScheduler]:
    """Give the schedulers of optimizers that took steps; an optimizer that is wrapped shares its groups."""
    for scheduler, steps in watch.schedulers:
        groups = getattr(getattr(scheduler, "optimizer", None), "param_groups", None)
        for place, each in enumerate(stepping):
            if groups is not None and groups is each.optimizer.param_groups:
                yield WatchedScheduler(type(scheduler).__name__, place, steps)


def _batch(watch: Watch) -> WatchedBatch | None:
    called = watch.first_call
    if called is None or called.inputs is None:
        return None
    inputs = called.inputs
    means: list[float] = []
    deviations: list[float] = []
    if is_image(tuple(inputs.shape)) and inputs.is_floating_point():
        values = inputs.float()
        means = values.mean((0, 2, 3)).tolist()
        deviations = values.std((0, 2, 3)).tolist()
    dtype = str(inputs.dtype).removeprefix("torch.")
    return WatchedBatch(tuple(inputs.shape), dtype, tuple(means), tuple(deviations))


def _histories(watch: Watch, trainee: Trainee, applied: Sequence[Applied]) -> Iterator[GradientHistory]:
    """Give the gradients of the main optimizer's parameters, before clipping and without the loss scale."""
    main = watch.main
    places = {} if main is None else {id(parameter): index for index, parameter in enumerate(main.parameters)}
    for name, parameter, group in groups(trainee.module):
        if main is None or name not in trainee.training or id(parameter) not in places:
            continue
        if not parameter.requires_grad and id(parameter) not in main.ever_fed:  # frozen, in a group by its name
            continue
        norms: list[float | None] = []
        nonfinite = 0
        for each in applied:
            row = each.after_backward or each.at_step
            value = row[places[id(parameter)]] if places[id(parameter)] < len(row) else None
            nonfinite += value is not None and not isfinite(value)
            norms.append(None if finite(value) is None else finite(value) / each.scale)  # type: ignore[operator]
        before = trainee.training[name]
        moved = (any(norms) or nonfinite > 0) and not parameter.equal(before)
        yield GradientHistory(
            name=name,
            group=group,
            norms=tuple(norms),
            nonfinite_steps=nonfinite,
            moved=moved,
            out_of_reach=not moved and _is_out_of_reach(parameter, before, main, norms),
        )


def _is_out_of_reach(parameter: Tensor, before: Tensor, main: OptimizerLog, norms: Sequence[float | None]) -> bool:
    for index, group in enumerate(main.optimizer.param_groups):
        if any(each is parameter for each in group["params"]):
            rates = [rates[index] for rates in main.rates if index < len(rates)]
            return is_out_of_reach(before, main.optimizer, rates, goal_of(group), norms)
    return False
