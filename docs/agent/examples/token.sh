#!/bin/sh
# curl alone. The agent's token goes in by standard input, so that no process list shows it.
set -eu
printf 'X-Token-Broker-Agent-Token: %s\n' "$(cat "$AGENT_TOKEN_FILE")" |
  curl -fsS -H @- "$AGENT_URL/tokens/helpdesk/88"
