"""Build the subject under test: the model, its adapter, its data and its training.

Everything here runs in the worker. torch, timm and peft are imported inside functions: the command line imports the
folders `sources` to learn which keys a spec may have. This file imports nothing, so that a process that only reads
images starts fast.
"""
