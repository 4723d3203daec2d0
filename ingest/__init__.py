"""Documents in: sources, parsing, splitting, planning and the loop that brings them into the store.

Knows nothing about models (it is given callables), Slack or settings.
"""
