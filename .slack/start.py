"""What `slack run` starts: everything on this machine, with the tokens that Slack's command line made."""

import os
import sys

TOKENS = {"SLACK_CLI_XOXB": "SLACK_BOT_TOKEN", "SLACK_CLI_XAPP": "SLACK_APP_TOKEN"}

if __name__ == "__main__":
    given = {ours: os.environ[theirs] for theirs, ours in TOKENS.items() if theirs in os.environ}
    os.execve(sys.executable, [sys.executable, "-m", "bot", "up"], {**os.environ, **given})
