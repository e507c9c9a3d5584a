"""A second library of models is one plugin file, and the core names none."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import timm
import torch
from torch import nn

from retspec.engine.supervisor import libraries_for
from retspec.plugin import ModelLibrary, model_source
from retspec.plugins.catalog import gather, versions
from retspec.records import Verdict
from retspec.subjects.models.libraries import know
from retspec.subjects.models.structure import head_parameters, input_size, preprocessing
from tests.here import run_here
from tests.photos import write_photos
from tests.subjects import hub_models

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.records import Result

ROOT = Path(__file__).parents[2]
PLUGIN = "tests.subjects.hub_models"
