"""Constructs for machine learning on AWS: each works in a stack of your own.

They read no configuration, no context and no environment; everything comes by keyword argument,
and everything they make is a public attribute.
"""

from .alarm import Alarm
from .alarm_topic import AlarmTopic
from .auditor_role import AuditorRole
from .automl_training import AutoMLLimits, AutoMLTraining
from .backfill_options import BackfillShare
from .batch_options import BatchLimits, BatchRecords
from .batch_scoring import BatchScoring
from .cost_budget import CostBudget
from .custom_labels_model import CustomLabelsModel
from .custom_labels_training import CustomLabelsGate, CustomLabelsTraining, TrainingPlaces
from .custom_model_keeper import CustomModelKeeper, KeptModel, Lease
from .custom_models_table import CustomModels, CustomModelsTable
from .data_scientist_role import DataScientistRole, OwnJobs, TeamModel
from .drift_options import WatchPeriod, drift_metric
from .drift_watch import DriftWatch
from .encryption_key import EncryptionKey
from .endpoint_alarms import EndpointAlarms, endpoint_metric
from .endpoint_dashboard import EndpointDashboard
from .endpoint_names import EndpointNames
from .endpoint_options import (
    AllAtOnce,
    Canary,
    DataCapture,
    Instances,
    Linear,
    Scaling,
    Serverless,
    Thresholds,
    Variant,
)
from .endpoint_role import EndpointRole
from .endpoint_scaling import EndpointScaling, ScalingFunction
from .event_worker import EventWorker
from .experiment_tracking import ExperimentTracking
from .face_blur import FaceBlur
from .image_analysis import ImageAnalysis
from .image_backfill import ImageBackfill
from .image_results import ImageResults
from .image_worker import AnswerReuse, ImageWorker, Instructions, Surroundings
from .jobs import Job, JobSurroundings, PipelineJobs, TrainingJob
from .live_version import LivePackage, LiveVersion, LiveVersionFunction
from .log_group import LogGroup
from .mlflow_apps import MLFLOW_APP_REGIONS
from .model_card import CardContent, ModelCard
from .model_endpoint import ModelEndpoint
from .model_group import ModelGroup
from .model_monitor import ModelMonitorSchedule, MonitorJobRole, monitor_metric
from .native_layer import NativeLayer
from .notebook_instance import GitRepository, NotebookInstance, NotebookScripts
from .notebook_keeper import KeptNotebook, NotebookHours, NotebookKeeper
from .notebook_lifecycle import IdleStop
from .notebook_role import WorkbenchRole
from .pace import Pace, Retry
from .pipeline_schedule import PipelineSchedule, PipelineTarget
from .pipeline_starts import PipelineStartOnData, PipelineStartOnEvent
from .platform_bus import PlatformBus
from .private_network import Network, PrivateNetwork
from .python_function import FunctionOptions, PythonFunction
from .quarantine import Quarantine
from .recipe import Recipe
from .release import ReleaseOnApproval
from .release_options import HostingStack, Monitored, ReleasePace, SmokeTest
from .results_catalog import ResultsCatalog
from .results_table import ResultsTable
from .review_share import ReviewShare
from .s3_folder import S3Folder
from .secure_bucket import SecureBucket
from .source_archive import SourceArchive
from .training_pipeline import TrainingPipeline
from .training_plan import DataLocation, Gate, Retries, Tracking, Tuning
from .video_analysis import VideoAnalysis
from .video_options import VideoPolling
from .work_queue import QueueOptions, WorkQueue

__all__ = [
    "MLFLOW_APP_REGIONS",
    "Alarm",
    "AlarmTopic",
    "AllAtOnce",
    "AnswerReuse",
    "AuditorRole",
    "AutoMLLimits",
    "AutoMLTraining",
    "BackfillShare",
    "BatchLimits",
    "BatchRecords",
    "BatchScoring",
    "Canary",
    "CardContent",
    "CostBudget",
    "CustomLabelsGate",
    "CustomLabelsModel",
    "CustomLabelsTraining",
    "CustomModelKeeper",
    "CustomModels",
    "CustomModelsTable",
    "DataCapture",
    "DataLocation",
    "DataScientistRole",
    "DriftWatch",
    "EncryptionKey",
    "EndpointAlarms",
    "EndpointDashboard",
    "EndpointNames",
    "EndpointRole",
    "EndpointScaling",
    "EventWorker",
    "ExperimentTracking",
    "FaceBlur",
    "FunctionOptions",
    "Gate",
    "GitRepository",
    "HostingStack",
    "IdleStop",
    "ImageAnalysis",
    "ImageBackfill",
    "ImageResults",
    "ImageWorker",
    "Instances",
    "Instructions",
    "Job",
    "JobSurroundings",
    "KeptModel",
    "KeptNotebook",
    "Lease",
    "Linear",
    "LivePackage",
    "LiveVersion",
    "LiveVersionFunction",
    "LogGroup",
    "ModelCard",
    "ModelEndpoint",
    "ModelGroup",
    "ModelMonitorSchedule",
    "MonitorJobRole",
    "Monitored",
    "NativeLayer",
    "Network",
    "NotebookHours",
    "NotebookInstance",
    "NotebookKeeper",
    "NotebookScripts",
    "OwnJobs",
    "Pace",
    "PipelineJobs",
    "PipelineSchedule",
    "PipelineStartOnData",
    "PipelineStartOnEvent",
    "PipelineTarget",
    "PlatformBus",
    "PrivateNetwork",
    "PythonFunction",
    "Quarantine",
    "QueueOptions",
    "Recipe",
    "ReleaseOnApproval",
    "ReleasePace",
    "ResultsCatalog",
    "ResultsTable",
    "Retries",
    "Retry",
    "ReviewShare",
    "S3Folder",
    "Scaling",
    "ScalingFunction",
    "SecureBucket",
    "Serverless",
    "SmokeTest",
    "SourceArchive",
    "Surroundings",
    "TeamModel",
    "Thresholds",
    "Tracking",
    "TrainingJob",
    "TrainingPipeline",
    "TrainingPlaces",
    "Tuning",
    "Variant",
    "VideoAnalysis",
    "VideoPolling",
    "WatchPeriod",
    "WorkQueue",
    "WorkbenchRole",
    "drift_metric",
    "endpoint_metric",
    "monitor_metric",
]
