"""Makes copies of images for people to look at, with every face blurred."""
