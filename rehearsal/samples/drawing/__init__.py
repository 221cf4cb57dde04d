"""The drawing kit of the sample pictures: a canvas and the scenes painted on it."""
