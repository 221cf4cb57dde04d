"""The code that runs inside SageMaker jobs and endpoints: one package a model, and `shared`."""
