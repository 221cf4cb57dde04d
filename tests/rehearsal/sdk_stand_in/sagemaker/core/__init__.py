"""The SageMaker Python SDK v3, as far as the notebooks use it; see the folder's README."""
