"""What a trained model's folder holds; SageMaker makes model.tar.gz of it.

<model>-model.json  the booster, in XGBoost's own JSON (nothing is ever pickled)
encoder.json        the encoding that it was trained with
code/inference.py   what the serving container imports, and beside it
code/ml_src/…       the modules that it needs
"""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from ml_src.shared.encoding import ENCODER, Encoder, EncoderError
from ml_src.shared.encoding import save as save_encoder
from ml_src.shared.failure import JobError

SOURCE = Path(__file__).resolve().parents[1]
# What serving any of the models takes.
SERVING = (
    "__init__.py",
    "shared/__init__.py",
    "shared/artifact.py",
    "shared/columns.py",
    "shared/encoding.py",
    "shared/failure.py",
    "shared/openmp.py",
    "shared/request_body.py",
    "shared/serving.py",
)

AnEncoder = TypeVar("AnEncoder", bound=Encoder)


@dataclass(frozen=True)
class ModelFolder(Generic[AnEncoder]):
    """How a model's folder is written and read.

    name: the model's, as its folder in `ml_src` and its file in `entry_points` have it.
    modules: the files of the model's own folder that serving takes.
    encoder: reads the encoder's document; raises `EncoderError`.
    """

    name: str
    modules: tuple[str, ...]
    encoder: Callable[[bytes], AnEncoder]

    @property
    def model(self) -> str:
        """Name the booster's file."""
        return f"{self.name}-model.json"

    @property
    def serving(self) -> tuple[str, ...]:
        """Name the modules that lie in the folder, below `ml_src`."""
        return (*SERVING, *(f"{self.name}/{module}" for module in self.modules))

    def save(self, folder: Path, booster: Any, encoder: AnEncoder) -> None:
        """Write a model with its encoder and the code that serves it."""
        folder.mkdir(parents=True, exist_ok=True)
        booster.save_model(folder / self.model)
        save_encoder(encoder, folder / ENCODER)
        for name in self.serving:
            place = folder / "code" / "ml_src" / name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(SOURCE / name, place)
        program = SOURCE / f"entry_points/{self.name}_inference.py"
        shutil.copyfile(program, folder / "code/inference.py")

    def load(self, folder: Path) -> tuple[Any, AnEncoder]:
        """Read a model's folder, or a folder with its model.tar.gz.

        Raises:
            JobError: a file is missing or cannot be read, or model and encoder do not belong
                together.
        """
        from ml_src.shared.openmp import wait_passively

        wait_passively()
        import xgboost as xgb

        archive = folder / "model.tar.gz"
        content = self._from_archive(archive) if archive.is_file() else self._from_folder(folder)
        booster = xgb.Booster()
        try:
            booster.load_model(bytearray(content[self.model]))
            encoder = self.encoder(content[ENCODER])
        except (xgb.core.XGBoostError, EncoderError) as error:
            raise JobError(f"{folder}: the model cannot be read: {error}") from error
        if booster.num_features() != len(encoder.columns):
            raise JobError(
                f"{folder}: the model takes {booster.num_features()} features, its encoder gives "
                f"{len(encoder.columns)}"
            )
        return booster, encoder

    def _from_folder(self, folder: Path) -> dict[str, bytes]:
        names = (self.model, ENCODER)
        missing = [name for name in names if not (folder / name).is_file()]
        if missing:
            raise JobError(f"{folder}: {' and '.join(missing)} missing; train.py writes both")
        return {name: (folder / name).read_bytes() for name in names}

    def _from_archive(self, archive: Path) -> dict[str, bytes]:
        """Read the two files straight from the archive: nothing is unpacked."""
        names = (self.model, ENCODER)
        content: dict[str, bytes] = {}
        try:
            with tarfile.open(fileobj=io.BytesIO(archive.read_bytes()), mode="r:gz") as opened:
                for member in opened:
                    name = member.name.removeprefix("./")
                    if name in names and (file := opened.extractfile(member)):
                        content[name] = file.read()
        except (tarfile.TarError, OSError, EOFError) as error:
            raise JobError(f"{archive}: not readable as a model's archive: {error}") from error
        missing = [name for name in names if name not in content]
        if missing:
            raise JobError(f"{archive}: {' and '.join(missing)} missing; train.py writes both")
        return content
