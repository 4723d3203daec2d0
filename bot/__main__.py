"""Run the command line from a checkout: `python -m bot`."""

from bot.cli import main

main()
