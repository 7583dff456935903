# pip install botocore
import os
import urllib.request

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.session import Session

request = AWSRequest("GET", f"{os.environ['TOKEN_BROKER_URL']}/tokens/helpdesk/system")
SigV4Auth(Session().get_credentials(), "execute-api", os.environ["AWS_REGION"]).add_auth(request)

signed = urllib.request.Request(request.url, headers=dict(request.headers))
with urllib.request.urlopen(signed, timeout=30) as answer:
    print(answer.read().decode())
