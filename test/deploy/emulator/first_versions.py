"""The labels of the first value of a secret, as Secrets Manager gives them and MiniStack does not."""
from ministack.services import secretsmanager

# secretsmanager/latest/apireference/API_PutSecretValue.html: the first version of a secret has `AWSCURRENT`, whatever
# labels it is given.
put_value = secretsmanager._put_secret_value


def put_value_as_aws(request):
    _, secret = secretsmanager._resolve(request.get("SecretId"))
    labels = request.get("VersionStages", ["AWSCURRENT"])
    if not secret or secret["Versions"] or "AWSCURRENT" in labels:
        return put_value(request)
    answer = put_value({**request, "VersionStages": ["AWSCURRENT"]})
    for version in secret["Versions"].values():
        version["Stages"].extend(labels)
    return answer


secretsmanager._put_secret_value = put_value_as_aws
