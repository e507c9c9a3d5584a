"""Load: text → plain data + a side table of marks."""

from retspec.spec.load.config import read_config
from retspec.spec.load.loading import SpecGiven, load, load_cells, plugins_of

__all__ = ["SpecGiven", "load", "load_cells", "plugins_of", "read_config"]
