"""What a trained model's folder holds; SageMaker makes model.tar.gz of it.

churn-model.json    the booster, in XGBoost's own JSON (nothing is ever pickled)
encoder.json        the encoding that it was trained with
code/inference.py   what the serving container imports, and beside it
code/ml_src/…       the modules that it needs
"""

from __future__ import annotations

import io
import shutil
import tarfile
from pathlib import Path
from typing import Any

from ml_src.churn.features import Encoder, EncoderError
from ml_src.shared.failure import JobError

MODEL, ENCODER = "churn-model.json", "encoder.json"
SOURCE = Path(__file__).resolve().parents[1]
SERVING = (
    "__init__.py",
    "churn/__init__.py",
    "churn/artifact.py",
    "churn/features.py",
    "churn/inference.py",
    "churn/request_body.py",
    "churn/schema.py",
    "shared/__init__.py",
    "shared/failure.py",
    "shared/openmp.py",
)


def save(folder: Path, booster: Any, encoder: Encoder) -> None:
    """Write a model with its encoder and the code that serves it."""
    folder.mkdir(parents=True, exist_ok=True)
    booster.save_model(folder / MODEL)
    encoder.save(folder / ENCODER)
    for name in SERVING:
        place = folder / "code" / "ml_src" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(SOURCE / name, place)
    shutil.copyfile(SOURCE / "entry_points/churn_inference.py", folder / "code/inference.py")


def load(folder: Path) -> tuple[Any, Encoder]:
    """Read a model's folder, or a folder with its model.tar.gz.

    Raises:
        JobError: a file is missing or cannot be read, or model and encoder do not belong together.
    """
    from ml_src.shared.openmp import wait_passively

    wait_passively()
    import xgboost as xgb

    archive = folder / "model.tar.gz"
    content = _from_archive(archive) if archive.is_file() else _from_folder(folder)
    booster = xgb.Booster()
    try:
        booster.load_model(bytearray(content[MODEL]))
        encoder = Encoder.from_text(content[ENCODER])
    except (xgb.core.XGBoostError, EncoderError) as error:
        raise JobError(f"{folder}: the model cannot be read: {error}") from error
    if booster.num_features() != len(encoder.columns):
        raise JobError(
            f"{folder}: the model takes {booster.num_features()} features, its encoder gives "
            f"{len(encoder.columns)}"
        )
    return booster, encoder


def _from_folder(folder: Path) -> dict[str, bytes]:
    missing = [name for name in (MODEL, ENCODER) if not (folder / name).is_file()]
    if missing:
        raise JobError(f"{folder}: {' and '.join(missing)} missing; train.py writes both")
    return {name: (folder / name).read_bytes() for name in (MODEL, ENCODER)}


def _from_archive(archive: Path) -> dict[str, bytes]:
    """Read the two files straight from the archive: nothing is unpacked."""
    content: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(archive.read_bytes()), mode="r:gz") as opened:
            for member in opened:
                name = member.name.removeprefix("./")
                if name in (MODEL, ENCODER) and (file := opened.extractfile(member)):
                    content[name] = file.read()
    except (tarfile.TarError, OSError, EOFError) as error:
        raise JobError(f"{archive}: not readable as a model's archive: {error}") from error
    missing = [name for name in (MODEL, ENCODER) if name not in content]
    if missing:
        raise JobError(f"{archive}: {' and '.join(missing)} missing; train.py writes both")
    return content
