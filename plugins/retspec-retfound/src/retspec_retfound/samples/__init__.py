"""Samples for dry runs: files laid out as the published ones, and images that look a little like a fundus.

Nothing in them was learned from, or shows, any patient.
"""
