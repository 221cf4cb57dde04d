"""Feed a `Watch` from XGBoost and from PyTorch. Each framework is imported when it is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ml_src.shared.rules import Watch


def xgboost_callback(watch: Watch) -> Any:
    """Make an xgboost.callback.TrainingCallback that feeds each round's losses.

    A loss is named after its data and metric, such as `validation:logloss`.
    """
    from xgboost.callback import TrainingCallback

    class Losses(TrainingCallback):
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            values = {
                f"{data}:{metric}": float(course[-1])
                for data, metrics in evals_log.items()
                for metric, course in metrics.items()
            }
            watch.losses(epoch, values)
            return False

    return Losses()


def watch_torch(module: Any, watch: Watch) -> Callable[[float | None], None]:
    """Watch a torch.nn.Module's gradients; call what is returned after each `backward()`.

    A hook on each parameter adds up its gradient as autograd hands it over, so a gradient is seen
    even when the optimizer is about to clear it.

    Args:
        module: the model; parameters that need no gradient are passed over.
        watch: takes mean absolute gradients by parameter, and the loss as `train:loss`.

    Returns:
        A function of the step's loss (or None) that feeds the rules with this step.
    """
    gradients: dict[str, float] = {}
    steps = 0

    def hook(name: str) -> Callable[[Any], None]:
        def keep(gradient: Any) -> None:
            gradients[name] = float(gradient.detach().abs().mean())

        return keep

    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            parameter.register_hook(hook(name))

    def step(loss: float | None = None) -> None:
        nonlocal steps
        seen = dict(gradients)
        gradients.clear()
        watch.gradients(steps, seen)
        if loss is not None:
            watch.losses(steps, {"train:loss": float(loss)})
        steps += 1

    return step
