"""Say what a file holds that is more than data, under which key, and how its weights are written without it."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING

from retspec.subjects.checkpoints.pickles import outline_of

_RUNS = re.compile(
    r"(posix|nt|os|sys|subprocess|shutil|socket|pty|runpy|importlib|ctypes|webbrowser|code|codeop|pdb|timeit|bdb|asyncio"
    r"|commands|urllib|http|requests|operator|marshal|pickle|cloudpickle|pip|site|multiprocessing)\b[.]"
    r"|builtins[.](eval|exec|compile|getattr|setattr|delattr|__import__|open|input|breakpoint|globals|vars|map|apply)"
)
"""What a pickle that does harm calls: to load such a file in full trust is never advised."""
_MOST_KEYS = 256
"""Keys at the top that weights are looked for under."""

if TYPE_CHECKING:
    from collections.abc import Collection

    from retspec.subjects.checkpoints.files import File
    from retspec.subjects.checkpoints.outline import Piece
    from retspec.subjects.checkpoints.recognition import Format


def refusal(file: File, kind: Format, names: Collection[str]) -> str:
    """Return why a file is refused that asks for these names, and the lines that write its weights again."""
    try:
        root = outline_of(file, kind)
    except Exception:  # noqa: BLE001 - the message is to come whatever is wrong with the file
        root = None
    keys = root.keys_of(names) if root else {}
    wanted = [f"{name} under the key {keys[name]!r}" if keys.get(name) else name for name in names]
    asks = f"holds more than weights: its pickle asks for {', '.join(wanted)}, which could run code and is never given"
    if any(map(_RUNS.match, names)):
        return (
            f"{asks}; no training saves that: get its weights from whoever made it as safetensors, and open it nowhere"
        )
    return f"{asks}; where you trust the file, two lines write its weights again: {_recipe(file, root, names)}"


def _recipe(file: File, root: Piece | None, names: Collection[str]) -> str:
    """Return two statements of Python, made for this file where its outline is known."""
    load = f"w = torch.load({file.name!r}, map_location='cpu', weights_only=False)"
    path = PurePath(file.name)
    target = str(path.with_name(f"{path.stem}-weights.pth"))
    return f"`import torch; {load}` and `torch.save({_weights(root, names)}, {target!r})`"


def _weights(root: Piece | None, names: Collection[str]) -> str:
    """Return the expression for the weights alone: a key without strangers, else the model's state_dict."""
    if root is None:
        return "w"
    held = {key: piece for key, piece in root.inside[:_MOST_KEYS] if key and piece.tensors}
    inside = {key: piece for key, piece in held.items() if not piece.is_tensor}
    clean = [key for key, piece in inside.items() if not piece.holds(names)]
    best = max(clean or inside, key=lambda key: inside[key].tensors, default="")
    if not held or "_modules" in held or "_parameters" in held:
        return "w.state_dict()"
    if len(held) - len(inside) > (inside[best].tensors if best else 0):
        return "{k: v for k, v in w.items() if isinstance(v, torch.Tensor)}"
    if clean:
        return f"w[{best!r}]"
    is_model = any(keys[-1:] == ("_parameters",) for keys, _ in inside[best].walk())
    return f"w[{best!r}].state_dict()" if is_model else f"w[{best!r}]"
