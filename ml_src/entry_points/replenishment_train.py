"""What SageMaker's XGBoost image starts for training, from the root of the code archive.

The image runs `python -m <module>` in the folder that it unpacked, so the module must lie at the
archive's root: the archive holds this file there, beside the package `ml_src`.
"""

from ml_src.replenishment.train import main

if __name__ == "__main__":
    main()
