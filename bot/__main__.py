"""Run the command line from a checkout: `python -m bot`."""

from bot.cli.main import main

main()
