"""Exchanges a workload's JWT for a token with requests-oauthlib, and prints the answer."""

import json
import os

from oauthlib.oauth2 import BackendApplicationClient
from requests_oauthlib import OAuth2Session


class ExchangeClient(BackendApplicationClient):
    grant_type = "urn:ietf:params:oauth:grant-type:token-exchange"


session = OAuth2Session(client=ExchangeClient(client_id="ignored"))
token = session.fetch_token(
    os.environ["TOKEN_BROKER_URL"] + "/oauth2/token",
    include_client_id=True,
    subject_token=os.environ["SUBJECT_TOKEN"],
    subject_token_type="urn:ietf:params:oauth:token-type:jwt",
    audience="helpdesk",
    requested_subject="88",
)
print(json.dumps(token))
