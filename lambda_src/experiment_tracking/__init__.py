"""Writes one run of a training pipeline into MLflow."""
