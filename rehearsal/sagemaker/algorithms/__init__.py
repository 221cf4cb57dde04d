"""What runs inside SageMaker's images: programs that import nothing of the rehearsal."""
