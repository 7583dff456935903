"""What AWS makes of a REST API, and MiniStack 1.5.33 does not. `emulator.py` imports it before it starts the emulator."""
import ministack.app as app
from ministack.services import apigateway_v1 as v1

PREFIX = "x-amazon-apigateway-"
METHODS = ("get", "head", "post", "put", "patch", "delete", "options")

# API Gateway developer guide, "OpenAPI extensions for API Gateway": `x-amazon-apigateway-binary-media-types`,
# `x-amazon-apigateway-any-method` and `x-amazon-apigateway-gateway-responses` are part of an API that is imported.
import_api = v1._import_rest_api


def import_rest_api(spec, base_data=None):
    data = dict(base_data or {})
    if spec.get(PREFIX + "binary-media-types"):
        data["binaryMediaTypes"] = spec[PREFIX + "binary-media-types"]
    for item in (spec.get("paths") or {}).values():
        every = item.get(PREFIX + "any-method")
        for method in METHODS if every else ():
            item.setdefault(method, every)
    api_id = import_api(spec, data)
    for kind, response in (spec.get(PREFIX + "gateway-responses") or {}).items():
        v1._put_gateway_response(api_id, kind, response)
    return api_id


v1._import_rest_api = import_rest_api

# That a REST API hands a path over as it was sent is measured by others; AWS has no page that says so (ADR 0019).
handle = app._handle_execute_api_request


async def handle_execute_api(host, path, method, headers, body, query_params, raw_path=None, raw_query_string=None):
    sent = raw_path.decode("latin-1") if isinstance(raw_path, bytes) else raw_path
    parsed = app._parse_execute_api_url(host, path)
    is_rest = parsed is not None and v1.find_api_scope(parsed[0]) is not None
    return await handle(
        host, sent if is_rest and sent else path, method, headers, body, query_params, raw_path, raw_query_string
    )


app._handle_execute_api_request = handle_execute_api
