"""What the account may still use of services that are closed to new customers."""

from config.base import Section


class AccountFeatures(Section):
    """Services that AWS has closed to new customers. An account that used them before may turn
    them on here; nothing of the platform needs them."""

    debugger: bool = False
    """Amazon SageMaker Debugger ("Amazon SageMaker Debugger", availability change). true: the
    training rules are given to it too, which only some images support; every model's must
    then."""
    model_monitor: bool = False
    """Amazon SageMaker Model Monitor ("Data and model quality monitoring", availability change).
    true: its schedule takes the place of every drift watch, and does less (docs/drift.md)."""
    augmented_ai: bool = False
    """Amazon Augmented AI ("Using Amazon Augmented AI for Human Review", availability change)."""
