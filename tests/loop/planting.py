"""Faults of a training loop, planted in the scripts beside this file by a change of their text."""

from __future__ import annotations

import runpy
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

SCRIPTS = Path(__file__).parent / "scripts"
DROPOUT = ("model = small_vit()", "model = small_vit(proj_drop_rate=0.1)")
OPTIMIZER = 'optimizer = torch.optim.AdamW([{"params": decayed}, {"params": spared, "weight_decay": 0.0}], lr=1e-3)\n'
UNFED = "accumulation clip_factor loss_weight_rtol max_clipped_norm scheduler_steps stale_gradients "
"""Checks that have nothing to judge when no step has a gradient."""


@dataclass(frozen=True)
class Fault:
    """Changes of a script, the arguments that it is started with, and what comes of the loop's criteria."""

    name: str
    changes: tuple[tuple[str, str], ...]
    missed: str
    undecided: str = ""
    """Criteria without a verdict, beyond those of the healthy script."""
    script: str = "plain"
    args: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()

    def plant(self, folder: Path) -> Path:
        """Write the changed script into a folder, with what it imports."""
        text = (SCRIPTS / f"{self.script}.py").read_text()
        for old, new in self.changes:
            assert text.count(old) == 1, f"{self.name}: {old!r} is in {self.script}.py {text.count(old)} times"
            text = text.replace(old, new)
        (folder / "parts.py").write_text((SCRIPTS / "parts.py").read_text())
        path = folder / f"{self.script}.py"
        path.write_text(text)
        return path


FAULTS = (
    Fault(
        "the head is replaced after the optimizer was built",
        ((OPTIMIZER, f"{OPTIMIZER}    model.head = torch.nn.Linear(48, 5)\n"),),
        missed="unowned_params foreign_params",
    ),
    Fault(
        "the optimizer has the parameters of a copy",
        (
            ("average = AveragedModel(model)\n", "average = AveragedModel(model)\n    twin = average.module\n"),
            ("decayed = [p for p in model.", "decayed = [p for p in twin."),
            ("spared = [p for p in model.", "spared = [p for p in twin."),
        ),
        missed="foreign_params unowned_params steps_without_backward still_averages",
        undecided=UNFED + "autocast_dtype repeated_batches train_mode_validations",
    ),
    Fault("a group has the rate zero", (('"weight_decay": 0.0}', '"weight_decay": 0.0, "lr": 0.0}'),), "idle_groups"),
    Fault("the scheduler is never stepped", (("scheduler.step()\n", "pass\n"),), "scheduler_steps lr_rtol"),
    Fault(
        "the scheduler is stepped per micro-batch",
        (("scheduler.step()\n", "pass\n"), ("if index % 2:\n", "scheduler.step()\n            if index % 2:\n")),
        missed="scheduler_steps lr_rtol",
    ),
    Fault("the division by the accumulation is missing", ((", labels) / 2", ", labels)"),), "loss_weight_rtol"),
    Fault("the division by the accumulation is there twice", ((") / 2", ") / 2 / 2"),), "loss_weight_rtol"),
    Fault("nothing is accumulated", (("if index % 2:", "if True:"),), "accumulation loss_weight_rtol"),
    Fault(
        "the rest of an epoch is accumulated",
        (("if index % 2:", "if index % 4 == 3:"),),
        "loss_weight_rtol",
        "accumulation",
    ),
    Fault("zero_grad is missing", (("optimizer.zero_grad()\n", "pass\n"),), "stale_gradients"),
    Fault(
        "zero_grad of the critic is missing", (("for_critic.zero_grad()\n", "pass\n"),), "stale_gradients", "", "gan"
    ),
    Fault(
        "the optimizer steps beside the scaler",
        (("scaler.update()\n", "optimizer.step()\n                scaler.update()\n"),),
        missed="steps_without_backward lr_rtol",
    ),
    Fault(
        "zero_grad comes between the backward pass and the step",
        (("scaler.step(optimizer)\n", "optimizer.zero_grad()\n                scaler.step(optimizer)\n"),),
        missed="steps_without_backward backwards_without_step still_averages",
        undecided=UNFED,
    ),
    Fault(
        "gradients are zeroed in place between the backward pass and the step",
        (("scaler.step(optimizer)\n", "optimizer.zero_grad(set_to_none=False); scaler.step(optimizer)\n"),),
        missed="steps_without_backward backwards_without_step",
        undecided=UNFED,
    ),
    Fault(
        "zero_grad comes with every micro-batch",
        (("            scaler.scale(loss)", "            optimizer.zero_grad()\n            scaler.scale(loss)"),),
        missed="backwards_without_step accumulation loss_weight_rtol",
    ),
    Fault(
        "zero_grad comes with every micro-batch, in place, under a scaler",
        (
            (
                "            scaler.scale(loss)",
                "            optimizer.zero_grad(set_to_none=False)\n            scaler.scale(loss)",
            ),
        ),
        missed="backwards_without_step accumulation loss_weight_rtol",
        args=("--scale",),
    ),
    Fault(
        "gradients are clipped before they are unscaled",
        (("scaler.unscale_(optimizer)\n", "pass\n"),),
        missed="clip_factor",
        args=("--scale",),
    ),
    Fault(
        "gradients are clipped after the step",
        (
            ("                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n", ""),
            (
                "scaler.update()\n",
                "scaler.update()\n                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n",
            ),
        ),
        missed="max_clipped_norm",
    ),
    Fault(
        "the average of the weights is never updated",
        (("average.update_parameters(model)\n", "pass\n"),),
        missed="still_averages",
    ),
    Fault(
        "the average is that of a copy",
        (("average.update_parameters(model)\n", "average.update_parameters(average.module)\n"),),
        missed="still_averages",
    ),
    Fault(
        "the validation leaves the model in eval mode",
        (DROPOUT, ("    for _epoch in range(20):\n        model.train()\n", "    for _epoch in range(20):\n")),
        missed="eval_mode_leaves",
    ),
    Fault("the validation runs in train mode", (DROPOUT, ("model.eval()\n", "pass\n")), "train_mode_validations"),
    Fault(
        "the validation of the unwrapped model runs in train mode",
        (
            DROPOUT,
            (
                "average = AveragedModel(model)\n",
                "average = AveragedModel(model); outer = torch.nn.Sequential(model)\n",
            ),
            ("functional.cross_entropy(model(images)", "functional.cross_entropy(outer(images)"),
            ("model.eval()\n", "pass\n"),
        ),
        missed="train_mode_validations",
    ),
    Fault(
        "softmax before cross-entropy",
        (("model(images), labels", "model(images).softmax(1), labels"),),
        "criterion_input",
    ),
    Fault(
        "the validation of a model beside its average runs in train mode",
        (("model.eval()\n", "pass\n"),),
        missed="train_mode_validations",
        script="task",
    ),
    Fault(
        "the validation leaves a model beside its average in eval mode",
        (("        model.train()\n", ""),),
        missed="eval_mode_leaves",
        script="task",
    ),
    Fault(
        "zero_grad is missing in manual optimization",
        (("optimizer.zero_grad()\n", "pass\n"),),
        missed="stale_gradients",
        script="lightning_manual",
    ),
    Fault(
        "the loop divides by the accumulation, and the library too",
        (
            (
                "functional.cross_entropy(self.model(images), labels)\n\n",
                "functional.cross_entropy(self.model(images), labels) / 2\n\n",
            ),
        ),
        missed="loss_weight_rtol",
        script="lightning_automatic",
    ),
    Fault(
        "the loop divides by the accumulation, and accelerate too",
        (("functional.cross_entropy(model(images), labels)", "functional.cross_entropy(model(images), labels) / 2"),),
        missed="loss_weight_rtol",
        script="accelerated",
    ),
    Fault(
        "log_softmax before cross-entropy",
        (("model(images), labels", "model(images).log_softmax(1), labels"),),
        "criterion_input",
    ),
    Fault(
        "ReLU on the logits",
        (("model(images), labels", "torch.relu(model(images) + torch.linspace(-1, 1, 5)), labels"),),
        "criterion_input",
    ),
    Fault(
        "biases are left out of weight decay, norm scales are not",
        (
            ("decayed = [p for p in model.parameters() if p.dim() > 1]", "decayed, spared = [], []"),
            (
                "spared = [p for p in model.parameters() if p.dim() <= 1]",
                'for name, p in model.named_parameters():\n        (spared if "bias" in name else decayed).append(p)',
            ),
        ),
        missed="decayed_vectors",
    ),
    Fault(
        "the model runs outside of autocast",
        (
            (
                "            with torch.autocast(",
                "            logits = model(images)\n            with torch.autocast(",
            ),
            ("model(images), labels", "logits, labels"),
        ),
        missed="autocast_dtype",
        args=("--amp",),
        overrides=("checks.autocast_dtype=bfloat16",),
    ),
    Fault(
        "next(iter(loader)) gives the same batch each time",
        (
            ("    for _epoch", "    loader = DataLoader(data(), batch_size=4)\n    for _epoch"),
            (
                "enumerate(DataLoader(data(), batch_size=4, shuffle=True))",
                "enumerate(next(iter(loader)) for _ in range(10))",
            ),
        ),
        missed="repeated_batches",
    ),
)


def faulty() -> None:
    """Train as the script does in which the fault is planted that the command line names."""
    (fault,) = [fault for fault in FAULTS if fault.name == sys.argv[1]]
    with TemporaryDirectory() as folder:
        path = fault.plant(Path(folder))
        sys.argv = [str(path), *fault.args]
        sys.path.insert(0, folder)
        runpy.run_path(str(path), run_name="__main__")
