"""What SageMaker's XGBoost image imports for serving: it lies in model.tar.gz as code/inference.py.

The package `ml_src` lies beside it in `code/`.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from ml_src.replenishment.inference import input_fn, model_fn, output_fn, predict_fn

__all__ = ["input_fn", "model_fn", "output_fn", "predict_fn"]
