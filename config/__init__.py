"""The configuration of Sagelens: one YAML file an environment, typed and checked as a whole.

    import config
    settings = config.load("dev")          # config/environments/dev.yaml
    settings = config.load("my/own.yaml")  # any file

A file that is not right raises `ConfigurationError`, which lists every error in it. The fields
are described in docs/configuration.md.
"""

from config.access import AccessSettings, BudgetSettings
from config.base import Broken
from config.custom_models import CustomModelSettings
from config.hosting import EndpointSettings, HostingSettings
from config.loading import Check, environments, load
from config.notebooks import NotebookSettings
from config.report import ConfigurationError, Problem
from config.retail import RetailSettings
from config.settings import EnvironmentSettings
from config.training import ModelSettings, TrainingSettings
from config.video import VideoSettings
from config.vision import BackfillSettings, VisionSettings
from config.workbench import WorkbenchSettings

__all__ = [
    "AccessSettings",
    "BackfillSettings",
    "Broken",
    "BudgetSettings",
    "Check",
    "ConfigurationError",
    "CustomModelSettings",
    "EndpointSettings",
    "EnvironmentSettings",
    "HostingSettings",
    "ModelSettings",
    "NotebookSettings",
    "Problem",
    "RetailSettings",
    "TrainingSettings",
    "VideoSettings",
    "VisionSettings",
    "WorkbenchSettings",
    "environments",
    "load",
]
