"""The splits of a dataset, and the words for them in names of folders and in columns of tables."""

from __future__ import annotations

SPLITS = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing", "evaluation"),
}
"""Split to the words for it, as Hugging Face knows them, the usual one first.

https://huggingface.co/docs/datasets/repository_structure#keywords
"""
