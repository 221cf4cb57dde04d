"""The image analysis function: object versions in, decisions out."""
