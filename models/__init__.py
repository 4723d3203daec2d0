"""Machine-learning models (not database tables): embedder, intent classifier, training, shelf.

Knows nothing about the rest of Threadwise: it takes texts, rows and folders, and gives numbers.
"""
