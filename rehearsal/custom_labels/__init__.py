"""Custom Labels' stand-in: projects, trainings, and models that run or do not."""
