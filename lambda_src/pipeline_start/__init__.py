"""Starts a SageMaker pipeline when data arrive or retraining is asked for, once for many events."""
