"""The catalogue of algorithms: what each is called, takes, runs on and reports.

    from sagelens.algorithms import algorithm

    xgboost = algorithm("xgboost")
    values = xgboost.hyperparameters({"num_round": 100, "max_depth": 5, "eta": 0.2})
    image = xgboost.training_image(stack)

All of it is plain data and needs no AWS CDK, but for an image's address in a stack.
"""

from .algorithm import Algorithm
from .catalogue import algorithm, names
from .channel import Channel
from .instances import Compute, processor
from .metric import Metric
from .own_image import own_image
from .problems import AlgorithmError, Problem
from .tuning import CategoricalRange, ContinuousRange, IntegerRange, Range, parameter_ranges

__all__ = [
    "Algorithm",
    "AlgorithmError",
    "CategoricalRange",
    "Channel",
    "Compute",
    "ContinuousRange",
    "IntegerRange",
    "Metric",
    "Problem",
    "Range",
    "algorithm",
    "names",
    "own_image",
    "parameter_ranges",
    "processor",
]
