"""TensorFlow in script mode."""

from __future__ import annotations

from . import script_mode
from .algorithm import Algorithm
from .instances import Compute
from .metric import NUMBER, Metric

TENSORFLOW = Algorithm(
    name="tensorflow",
    title="TensorFlow",
    purpose="Neural networks written with TensorFlow or Keras.",
    mode="script",
    pages=(
        "Use TensorFlow with Amazon SageMaker AI",
        "Supported frameworks and algorithms",
        "Checkpoints in Amazon SageMaker AI",
    ),
    images="tensorflow",
    channels=script_mode.CHANNELS,
    further_channels=True,
    input_modes=script_mode.INPUT_MODES,
    # Keras ends an epoch with "… - accuracy: 0.9 - loss: 0.3 - val_accuracy: 0.8 - val_loss: 0.4".
    metrics=(
        Metric("train:loss", "Minimize", rf"- loss: {NUMBER}"),
        Metric("train:accuracy", "Maximize", rf"- accuracy: {NUMBER}"),
        Metric("validation:loss", "Minimize", rf"- val_loss: {NUMBER}"),
        Metric("validation:accuracy", "Maximize", rf"- val_accuracy: {NUMBER}"),
    ),
    compute=Compute(several_instances=True, gpu=True),
    checkpoints=True,
    # The page names 1.15.4 and later; with Keras from 2.6 the script must set up the hook itself.
    debugger=True,
)
"""Sources: the pages named above; Keras' progress bar. A script that prints otherwise gives its
own metrics by ``with_metrics``."""
