"""The checks of a function's role that Lambda makes on AWS, and MiniStack leaves out."""
import logging

import ministack.core.iam_evaluator as evaluator
from ministack.services import iam, lambda_svc

logger = logging.getLogger("ministack")


def may(role_arn, action, resource_arn):
    """Reports whether a session of the role may do something; its refusals are logged as those of other calls are."""
    _, _, _, region, account, _ = resource_arn.split(":", 5)
    name = role_arn.rpartition("/")[2]
    if iam._roles.get(name) is None:
        return False
    session = f"arn:aws:sts::{account}:assumed-role/{name}/lambda"
    context = evaluator.EvalContext(
        session, "AssumedRole", account, action, resource_arn, region,
        service_context={"aws:principalisawsservice": "false"})
    is_allowed = evaluator.evaluate(context, evaluator._gather_role_policies(name, account)).decision == "Allow"
    if not is_allowed:
        logger.warning("refused: %s %s %s", session, action, resource_arn)
    return is_allowed


# lambda/latest/dg/monitoring-cloudwatchlogs.html: Lambda writes a function's log with the function's role, and there is none
# where the role may not.
emit_logs = lambda_svc._emit_lambda_logs


def emit_logs_if_allowed(function, *arguments, **named):
    config = function.get("config") or function
    arn = config["FunctionArn"].split(":")
    group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"
    stream = f"arn:aws:logs:{arn[3]}:{arn[4]}:log-group:{group}:log-stream:any"
    if all(may(config["Role"], action, stream) for action in ("logs:CreateLogStream", "logs:PutLogEvents")):
        emit_logs(function, *arguments, **named)


lambda_svc._emit_lambda_logs = emit_logs_if_allowed

# lambda/latest/dg/invocation-async-retain-records.html: Lambda sends to a destination with the function's role.
route_failure = lambda_svc._route_async_failure


def route_failure_if_allowed(target_arn, function_name, event, result):
    role_arn = lambda_svc._functions[function_name]["config"]["Role"]
    if ":sqs:" not in target_arn or may(role_arn, "sqs:SendMessage", target_arn):
        route_failure(target_arn, function_name, event, result)


lambda_svc._route_async_failure = route_failure_if_allowed
