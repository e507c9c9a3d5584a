"""Load: text → plain data + a side table of marks."""

from retspec.load.config import read_config
from retspec.load.flow import load, plugins_of

__all__ = ["load", "plugins_of", "read_config"]
