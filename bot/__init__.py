"""The service: Slack edge, answering, processes and the command line."""
