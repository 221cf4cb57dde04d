"""SageMaker Pipelines: the deployed definition, read, checked and run.

`definition`, `references`, `expressions`, `graph`, `conditions`, `parameters`, `caching`, `retries`
and `naming` are plain data in, plain data out; nothing in them knows of AWS calls or threads.
"""
