"""Constructs for machine learning on AWS: each works in a stack of your own.

They read no configuration, no context and no environment; everything comes by keyword argument,
and everything they make is a public attribute.
"""

from .alarm import Alarm
from .alarm_topic import AlarmTopic
from .encryption_key import EncryptionKey
from .image_analysis import ImageAnalysis
from .image_worker import ImageWorker, Instructions, Surroundings
from .log_group import LogGroup
from .pace import Pace, Retry
from .platform_bus import PlatformBus
from .private_network import Network, PrivateNetwork
from .python_function import FunctionOptions, PythonFunction
from .quarantine import Quarantine
from .results_table import ResultsTable
from .review_share import ReviewShare
from .secure_bucket import SecureBucket
from .work_queue import QueueOptions, WorkQueue

__all__ = [
    "Alarm",
    "AlarmTopic",
    "EncryptionKey",
    "FunctionOptions",
    "ImageAnalysis",
    "ImageWorker",
    "Instructions",
    "LogGroup",
    "Network",
    "Pace",
    "PlatformBus",
    "PrivateNetwork",
    "PythonFunction",
    "Quarantine",
    "QueueOptions",
    "ResultsTable",
    "Retry",
    "ReviewShare",
    "SecureBucket",
    "Surroundings",
    "WorkQueue",
]
