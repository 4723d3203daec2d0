"""manifest.json and the code agree both ways: events, scopes, commands, shortcuts, and what is clicked."""

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MANIFEST: dict[str, Any] = json.loads((ROOT / "manifest.json").read_text(encoding="utf-8"))
CODE = "\n".join(
    file.read_text(encoding="utf-8")
    for folder in ("slack", "processes")
    for file in sorted((ROOT / "bot" / folder).glob("*.py"))
)

EVENTS = {
    "agent_session_stopped": "chat:write",
    "app_home_opened": None,
    "app_mention": "app_mentions:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
}
"""What each event needs (docs.slack.dev/reference/events)."""

READS = ("channels:history", "groups:history", "im:history")
KNOWS = ("channels:read", "groups:read")
METHODS: dict[str, tuple[str, ...]] = {
    "agents.sessions.setStatus": ("chat:write",),
    "apps.connections.open": (),
    "assistant.threads.setStatus": ("chat:write",),
    "assistant.threads.setSuggestedPrompts": ("assistant:write",),
    "auth.test": (),
    "chat.getPermalink": (),
    "chat.postEphemeral": ("chat:write",),
    "chat.postMessage": ("chat:write",),
    "conversations.history": READS,
    "conversations.info": KNOWS,
    "conversations.list": KNOWS,
    "conversations.replies": READS,
    "reactions.add": ("reactions:write",),
    "reactions.remove": ("reactions:write",),
    "users.info": ("users:read",),
    "users.list": ("users:read",),
    "views.open": (),
    "views.publish": (),
}
"""What each method that is called needs (docs.slack.dev/reference/methods)."""

SOCKET_METHODS = ("connect", "is_connected", "close", "api_call")
"""What a client has besides Slack's methods."""


def found(pattern: str) -> set[str]:
    return set(re.findall(pattern, CODE))


def called() -> set[str]:
    """The methods of Slack's that the code calls."""
    named = {name.replace("_", ".") for name in found(r"[cC]lient\.(\w+)\(")}
    plain = {name.replace("_", ".") for name in SOCKET_METHODS}
    return (named - plain) | found(r'api_call\(\s*"([\w.]+)"')


def test_every_event_is_listened_to_and_every_one_that_is_listened_to_is_subscribed() -> None:
    subscribed = set(MANIFEST["settings"]["event_subscriptions"]["bot_events"])
    listened = found(r'app\.event\("(\w+)"\)') | found(r'app\.event\(\{"type": "(\w+)"')
    assert subscribed == set(EVENTS)
    assert {event.partition(".")[0] for event in subscribed} == listened


def test_every_scope_is_used_and_every_use_has_its_scope() -> None:
    assert called() - set(METHODS) == set()
    methods = {scope for name in called() for scope in METHODS[name]}
    needed = methods | {scope for scope in EVENTS.values() if scope} | {"commands"}
    assert MANIFEST["oauth_config"]["scopes"]["bot"] == sorted(needed)


def test_every_command_and_shortcut_is_served_and_every_one_that_is_served_is_listed() -> None:
    features = MANIFEST["features"]
    assert {each["command"] for each in features["slash_commands"]} == found(
        r'app\.command\("(/\w+)"\)'
    )
    assert {each["callback_id"] for each in features["shortcuts"]} == found(
        r'^SHORTCUT = "(\w+)"'.replace("^", "(?m:^)")
    )


def test_everything_that_can_be_clicked_is_listened_to_and_the_other_way_round() -> None:
    """An f-string such as f"reason:{key}" stands for all that begin like it."""
    shown = {name.partition("{")[0] for name in found(r'[bB]utton\([^\n]*?, f?"([a-z_:{}]+)"')}
    of_modals = {"detail"}  # is read when the modal is sent
    shown |= found(r'"action_id": "(\w+)"') - of_modals
    exact = found(r'app\.action\("([\w:]+)"\)')
    begins = found(r'app\.action\(re\.compile\("\^([\w:]+)"\)\)')
    heard = {name for name in shown if name in exact or any(name.startswith(b) for b in begins)}
    assert shown - heard == set()
    assert exact - shown == set()
    assert {b for b in begins if not any(name.startswith(b) for name in shown)} == set()


def test_the_manifest_is_of_the_second_version_and_the_pane_is_declared() -> None:
    assert MANIFEST["_metadata"]["major_version"] == 2
    home = MANIFEST["features"]["app_home"]
    assert home["home_tab_enabled"] and home["messages_tab_enabled"]
    prompts = MANIFEST["features"]["agent_view"]["suggested_prompts"]
    assert all(set(each) == {"title", "message"} for each in prompts)
    assert 174 <= len(MANIFEST["display_information"]["long_description"]) <= 4000


def test_slacks_own_command_line_finds_the_hooks_and_the_manifest() -> None:
    hooks = json.loads((ROOT / ".slack" / "hooks.json").read_text(encoding="utf-8"))
    assert "slack_cli_hooks" in hooks["hooks"]["get-hooks"]
    config = json.loads((ROOT / ".slack" / "config.json").read_text(encoding="utf-8"))
    assert config["manifest"]["source"] == "local"
    assert all((ROOT / part).exists() for part in hooks["hooks"]["start"].split()[1:])
