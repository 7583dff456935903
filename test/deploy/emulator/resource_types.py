"""The resources of a template as CloudFormation makes them, and MiniStack does not."""
import json
import os

import ministack.services.cloudformation as stacks
import ministack.services.cloudformation.provisioners as cloudformation
from ministack.services import lambda_svc, secretsmanager

HANDLERS = cloudformation._RESOURCE_HANDLERS


def replace_handlers(resource_type, **handlers):
    HANDLERS[resource_type] = {**HANDLERS.get(resource_type, {}), **handlers}


# AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html: `Ref` is the ARN. A name is taken
# as long as a secret has it, one that waits for its deletion too. secretsmanager/latest/userguide/getting-started.html:
# a secret that is made without a value has no version.
secret = dict(HANDLERS["AWS::SecretsManager::Secret"])


def create_secret(logical_id, properties, stack_name):
    name = properties.get("Name")
    if name in secretsmanager._secrets:
        raise ValueError(
            f"The operation failed because the secret {name} already exists. (Service: SecretsManager, Status Code: 400, "
            "ResourceExistsException)")
    made, attributes = secret["create"](logical_id, properties, stack_name)
    if not properties.keys() & {"SecretString", "GenerateSecretString"}:
        secretsmanager._secrets[made]["Versions"] = {}
    return attributes["Id"], attributes


def name_in(secret_arn):
    return secret_arn.partition(":secret:")[2][:-7]


def update_secret(physical_id, old, new, stack_name, logical_id=None):
    _, attributes = secret["update"](name_in(physical_id), old, new, stack_name, logical_id)
    return attributes["Id"], attributes


replace_handlers(
    "AWS::SecretsManager::Secret",
    create=create_secret,
    update=update_secret,
    delete=lambda physical_id, properties: secret["delete"](name_in(physical_id), properties),
)


# AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-resourcepolicy.html
def put_secret_policy(logical_id, properties, stack_name):
    secret_id = properties["SecretId"]
    status, _, body = secretsmanager._put_resource_policy(
        {"SecretId": secret_id, "ResourcePolicy": json.dumps(properties["ResourcePolicy"])})
    if status >= 400:
        raise ValueError(body.decode())
    return secret_id, {"Id": secret_id}


replace_handlers(
    "AWS::SecretsManager::ResourcePolicy",
    create=put_secret_policy,
    update=lambda physical_id, old, new, stack_name: put_secret_policy("", new, stack_name),
    delete=lambda physical_id, properties: secretsmanager._delete_resource_policy({"SecretId": physical_id}),
)


# AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-resourcepolicy.html: it takes the place of what
# `AddPermission` made.
def put_function_policy(logical_id, properties, stack_name):
    arn = properties["ResourceArn"]
    function = lambda_svc._functions[arn.partition(":function:")[2].partition(":")[0]]
    document = properties["PolicyDocument"]
    function["policy"] = {"Id": "default", **(json.loads(document) if isinstance(document, str) else document)}
    return arn, {"Id": arn}


def delete_function_policy(physical_id, properties):
    function = lambda_svc._functions.get(physical_id.partition(":function:")[2].partition(":")[0])
    if function is not None:
        function["policy"] = {"Version": "2012-10-17", "Id": "default", "Statement": []}


replace_handlers(
    "AWS::Lambda::ResourcePolicy",
    create=put_function_policy,
    update=lambda physical_id, old, new, stack_name: put_function_policy("", new, stack_name),
    delete=delete_function_policy,
)

# AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks.html: a resource that has not changed stays as it is, with its
# attributes. In a nested stack the emulator forgets these.
update_resource = cloudformation._update_resource


def update_resource_with_attributes(resource_type, physical_id, old, new, stack_name, logical_id=None, old_attrs=None):
    if old_attrs is None:
        known = stacks._stacks.get(stack_name, {}).get("_resources", {}).get(logical_id, {})
        old_attrs = known.get("Attributes")
    return update_resource(resource_type, physical_id, old, new, stack_name, logical_id, old_attrs)


cloudformation._update_resource = update_resource_with_attributes

# lambda/latest/dg/configuration-concurrency.html: an account keeps some executions unreserved, and a reservation that
# leaves fewer is refused. The words are Lambda's; a new account has 10 executions in all.
function = dict(HANDLERS["AWS::Lambda::Function"])
ACCOUNT_EXECUTIONS = int(os.environ["LAMBDA_ACCOUNT_CONCURRENCY"])
LEAST_UNRESERVED = min(100, ACCOUNT_EXECUTIONS)


def check_reservation(properties):
    reserved = int(properties.get("ReservedConcurrentExecutions", 0))
    if reserved > 0 and ACCOUNT_EXECUTIONS - reserved < LEAST_UNRESERVED:
        raise ValueError(
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below "
            f"its minimum value of [{LEAST_UNRESERVED}].")


def create_function(logical_id, properties, stack_name):
    check_reservation(properties)
    return function["create"](logical_id, properties, stack_name)


def update_function(physical_id, old, new, *arguments, **named):
    check_reservation(new)
    return function["update"](physical_id, old, new, *arguments, **named)


replace_handlers("AWS::Lambda::Function", create=create_function, update=update_function)

# AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-alarm.html: an alarm has one metric, or `Metrics`.
# One of several is accepted here and never evaluated.
alarm = dict(HANDLERS["AWS::CloudWatch::Alarm"])


def create_alarm(logical_id, properties, stack_name):
    if not properties.get("Metrics"):
        return alarm["create"](logical_id, properties, stack_name)
    name = properties.get("AlarmName", f"{stack_name}-{logical_id}")
    return name, {"Arn": f"arn:aws:cloudwatch:{cloudformation.get_region()}:{cloudformation.get_account_id()}:alarm:{name}"}


def update_alarm(physical_id, old, new, stack_name, logical_id=None):
    if old.get("Metrics") or new.get("Metrics"):
        return create_alarm(logical_id or physical_id, new, stack_name)
    return alarm["update"](physical_id, old, new, stack_name, logical_id)


replace_handlers("AWS::CloudWatch::Alarm", create=create_alarm, update=update_alarm, update_with_logical_id=True)

# Types that CloudFormation has and the emulator refuses, with the whole template. They are only kept: `cannot-prove.ts`
# names them.
for kept in (
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::CodeDeploy::Application",
    "AWS::CodeDeploy::DeploymentGroup",
    "AWS::Logs::QueryDefinition",
    "AWS::SecretsManager::RotationSchedule",
    "AWS::WAFv2::WebACLAssociation",
):
    replace_handlers(
        kept,
        create=lambda logical_id, properties, stack_name: (logical_id, {}),
        update=lambda physical_id, old, new, stack_name: (physical_id, {}),
        delete=lambda physical_id, properties: None,
    )
