# Python's standard library alone.
import json
import os
import urllib.request

with open(os.environ["AGENT_TOKEN_FILE"]) as file:
    headers = {"X-Token-Broker-Agent-Token": file.read()}
request = urllib.request.Request(os.environ["AGENT_URL"] + "/tokens/helpdesk/88", headers=headers)
with urllib.request.urlopen(request, timeout=30) as answer:
    print(json.dumps(json.load(answer)))
