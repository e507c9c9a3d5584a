"""Estimates with intervals whose unit is the patient: arrays in, numbers out. Only measurements import it, when run."""
