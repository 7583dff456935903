"""The facts of a request that the conditions of a policy see on AWS, and do not see in MiniStack."""
import json
import logging
import re
from dataclasses import replace

import ministack.core.iam_evaluator as evaluator

logger = logging.getLogger("ministack")

# IAM/latest/UserGuide/reference_policies_condition-keys.html, `aws:PrincipalArn`: of the session of a role, the ARN of the
# role; a service and an anonymous caller have none. `aws:PrincipalIsAWSService` and `aws:ViaAWSService` are in every signed
# request.
resolve_key = evaluator._resolve_condition_key


def role_of(principal_arn, account):
    from ministack.services import iam

    name = principal_arn.split("/")[1]
    role = iam._roles.get_scoped(account, None, name)
    return role["Arn"] if role else f"arn:aws:iam::{account}:role/{name}"


def resolve_key_as_aws(key, context):
    name = key.lower()
    is_signed = context.principal_arn != "*"
    if name == "aws:principalarn":
        if not is_signed or context.principal_type == "Service":
            return None
        if ":assumed-role/" in context.principal_arn:
            return role_of(context.principal_arn, context.principal_account)
    if name in ("aws:principalisawsservice", "aws:viaawsservice") and name not in context.service_context:
        return "false" if is_signed else None
    return resolve_key(key, context)


evaluator._resolve_condition_key = resolve_key_as_aws

# IAM/latest/UserGuide/reference_policies_variables.html: variables stand in resources and in the values of conditions; one
# that has no value matches nothing; `${*}`, `${?}` and `${$}` are those characters.
VARIABLE = re.compile(r"\$\{([^}]+)\}")
first_match = evaluator._first_match


def fill_in(value, context):
    def value_of(match):
        if match[1] in ("*", "?", "$"):
            return match[1]
        found = evaluator._resolve_condition_key(match[1], context)
        return match[0] if found is None else str(found)

    if isinstance(value, str):
        return VARIABLE.sub(value_of, value)
    if isinstance(value, list):
        return [fill_in(each, context) for each in value]
    if isinstance(value, dict):
        return {key: fill_in(each, context) for key, each in value.items()}
    return value


def first_match_filled(context, statements, effect):
    filled = [
        replace(
            statement,
            resources=fill_in(statement.resources, context),
            not_resources=fill_in(statement.not_resources, context),
            conditions=fill_in(statement.conditions, context),
        )
        for statement in statements
    ]
    return first_match(context, filled, effect)


evaluator._first_match = first_match_filled

# amazondynamodb/latest/developerguide/specifying-conditions.html: `dynamodb:LeadingKeys` is the partition key,
# `dynamodb:Attributes` all top-level attributes that a request names, in its key, its item and its expressions.
EXPRESSIONS = (
    "ProjectionExpression", "UpdateExpression", "ConditionExpression", "FilterExpression", "KeyConditionExpression")
# A name begins a path: it follows no `.`, no `:` of a value, and no other letter.
NAME = re.compile(r"(?<![\w:#.])(#\w+|[A-Za-z_]\w*)")
WORDS = frozenset(
    "set remove add delete and or not between in attribute_exists attribute_not_exists attribute_type begins_with contains "
    "size if_not_exists list_append".split())


def dynamodb_keys(action, request):
    from ministack.services import dynamodb

    operation = action.partition(":")[2]
    table = dynamodb._tables.get(request.get("TableName", "").rpartition("/")[2]) or {}
    partition = next((key["AttributeName"] for key in table.get("KeySchema", []) if key["KeyType"] == "HASH"), None)
    names = request.get("ExpressionAttributeNames") or {}
    values = request.get("ExpressionAttributeValues") or {}
    item = request.get("Key") or request.get("Item") or {}
    keys = {}
    if partition in item:
        keys["dynamodb:LeadingKeys"] = [str(value) for value in item[partition].values()]
    elif operation == "Query" and "IndexName" not in request:
        for name, value in re.findall(r"(#?\w+)\s*=\s*(:\w+)", request.get("KeyConditionExpression", "")):
            if names.get(name, name) == partition:
                keys["dynamodb:LeadingKeys"] = [str(each) for each in values[value].values()]
    named = set(item)
    for expression in EXPRESSIONS:
        for name in NAME.findall(request.get(expression) or ""):
            if name.lower() not in WORDS:
                named.add(names.get(name, name))
    # A read without a projection names its key alone, and has all attributes: it has no list of them.
    if named and (operation not in ("GetItem", "Query") or "ProjectionExpression" in request):
        keys["dynamodb:Attributes"] = sorted(named)
    if operation in ("UpdateItem", "PutItem", "DeleteItem"):
        keys["dynamodb:ReturnValues"] = request.get("ReturnValues", "NONE")
        # The emulator sets it for each request; the guide has it for reads.
        keys["dynamodb:Select"] = None
    return keys


# kms/latest/developerguide/conditions-kms.html: `kms:EncryptionContext:KEY`, `kms:EncryptionContextKeys` and
# `kms:CallerAccount`. `kms:ViaService` is of the calls that a service makes, and here none does.
def kms_keys(request):
    from ministack.core.responses import get_account_id

    context = request.get("EncryptionContext") or {}
    keys = {f"kms:EncryptionContext:{key}": value for key, value in context.items()}
    if context:
        keys["kms:EncryptionContextKeys"] = list(context)
    return {**keys, "kms:CallerAccount": get_account_id()}


# secretsmanager/latest/userguide/auth-and-access_iam-policies.html: `secretsmanager:VersionStage` and
# `secretsmanager:VersionId` are of the requests that name them.
def secrets_keys(request):
    given = {"VersionStage": request.get("VersionStage"), "VersionId": request.get("VersionId")}
    return {f"secretsmanager:{key}": value for key, value in given.items() if value is not None}


enforce = evaluator.enforce


def enforce_as_aws(access_key_id, iam_action, service, region, resource_arn="*", service_context=None):
    signed = evaluator._signed_request.get()
    try:
        request = json.loads(signed.body) if signed else {}
    except ValueError:
        request = {}
    keys = {}
    if isinstance(request, dict):
        if service == "dynamodb":
            keys = dynamodb_keys(iam_action, request)
        elif service == "kms":
            keys = kms_keys(request)
        elif service == "secretsmanager":
            keys = secrets_keys(request)
    denied = enforce(access_key_id, iam_action, service, region, resource_arn=resource_arn,
                     service_context={**(service_context or {}), **keys})
    if isinstance(denied, evaluator.EvalResult):
        # The test reads this: a function that is refused what it asks for may go on, and say nothing to its caller.
        logger.warning("refused: %s %s %s", denied.principal_arn, iam_action, resource_arn)
    return denied


evaluator.enforce = enforce_as_aws
