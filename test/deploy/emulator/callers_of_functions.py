"""The permission that a service needs to invoke a function on AWS, and does not need in MiniStack."""
import logging

import ministack.core.iam_evaluator as evaluator
from ministack.services import apigateway_v1, eventbridge, iam, lambda_svc

logger = logging.getLogger("ministack")
INVOKE = "lambda:InvokeFunction"


def context_of(resource_arn, principal_arn, keys):
    _, _, _, region, account, _ = resource_arn.split(":", 5)
    return evaluator.EvalContext(
        principal_arn, "Service", account, INVOKE, resource_arn, region,
        service_context={key.lower(): value for key, value in keys.items()})


# lambda/latest/dg/access-control-resource-based.html: a service invokes a function where the function's policy allows it,
# and a policy may name the resource and the account that it does so for.
def may_invoke(function_arn, service, source_arn):
    policy = lambda_svc.function_policy_for_arn(function_arn)
    if policy is None:
        return True  # No such function: the emulator says so itself.
    context = context_of(function_arn, service, {
        "aws:SourceArn": source_arn,
        "aws:SourceAccount": source_arn.split(":")[4],
        "aws:PrincipalIsAWSService": "true",
        "aws:PrincipalServiceName": service,
    })
    return evaluator.evaluate_resource_policy(policy[0], context, service=service).decision == "Allow"


# apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html: a function that API Gateway may not invoke is
# answered 500, as a fault of the API's configuration.
invoke_from_api = apigateway_v1._invoke_lambda_proxy_v1


async def invoke_from_api_if_allowed(
    integration, api_id, stage_name, stage, resource, request_path, method, *arguments, owner_account_id, owner_region, **named
):
    function_arn = apigateway_v1._extract_lambda_ref_from_integration_uri(integration["uri"])
    source_arn = apigateway_v1.execute_api_arn(
        owner_region, owner_account_id, api_id, stage_name, method, resource["path"])
    if not may_invoke(function_arn, "apigateway.amazonaws.com", source_arn):
        logger.warning("API Gateway may not invoke %s for %s", function_arn, source_arn)
        return apigateway_v1._gw_error("API_CONFIGURATION_ERROR", "Internal server error")
    return await invoke_from_api(
        integration, api_id, stage_name, stage, resource, request_path, method, *arguments,
        owner_account_id=owner_account_id, owner_region=owner_region, **named)


apigateway_v1._invoke_lambda_proxy_v1 = invoke_from_api_if_allowed


# scheduler/latest/UserGuide/setting-up.html and cross-service-confused-deputy-prevention.html: a schedule invokes as its
# role, which must trust Scheduler for the schedule's group and allow the target, and the target must not refuse the role.
def may_invoke_as(role_arn, target_arn, group_arn):
    role = iam._roles.get(role_arn.rpartition("/")[2])
    if role is None:
        return False
    trusted = context_of(target_arn, "scheduler.amazonaws.com", {
        "aws:SourceArn": group_arn,
        "aws:SourceAccount": group_arn.split(":")[4],
    })
    trusted.action, trusted.resource_arn = "sts:AssumeRole", role_arn
    trust = evaluator.evaluate_resource_policy(
        role["AssumeRolePolicyDocument"], trusted, service="scheduler.amazonaws.com")
    if trust.decision != "Allow":
        return False
    account = role_arn.split(":")[4]
    session = f"arn:aws:sts::{account}:assumed-role/{role['RoleName']}/scheduler"
    policies = evaluator._gather_role_policies(role["RoleName"], account)
    context = context_of(target_arn, session, {"aws:PrincipalIsAWSService": "false"})
    context.principal_type, context.principal_account = "AssumedRole", account
    identity = evaluator.evaluate(context, policies)
    policy = lambda_svc.function_policy_for_arn(target_arn)
    if policy is None:
        return True  # No such function: the emulator says so itself.
    return evaluator.combine_resource_policy(identity, context, *policy).decision == "Allow"


# eventbridge/latest/userguide/eb-use-resource-based.html: a rule without a role needs the policy of its target.
invoke_target = eventbridge._invoke_target


def invoke_target_if_allowed(target, event, rule, view=None):
    arn = target.get("Arn", "")
    if ":lambda:" in arn:
        role = target.get("RoleArn")
        # arn:…:schedule/GROUP/NAME is of the group arn:…:schedule-group/GROUP.
        group = rule["Arn"].replace(":schedule/", ":schedule-group/").rpartition("/")[0]
        allowed = may_invoke_as(role, arn, group) if role else may_invoke(arn, "events.amazonaws.com", rule["Arn"])
        if not allowed:
            logger.warning("%s may not invoke %s", rule["Arn"], arn)
            return
    invoke_target(target, event, rule, view)


eventbridge._invoke_target = invoke_target_if_allowed
