"""The intent classifier: examples, training, cross-validation, and the versions that come out."""
