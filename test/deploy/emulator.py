"""Starts the emulator, with the one type of resource that it lacks: a saved query, which it only keeps."""

import rest_api  # noqa: F401
import ministack.services.cloudformation.provisioners as cloudformation
from ministack import app

cloudformation._RESOURCE_HANDLERS["AWS::Logs::QueryDefinition"] = {
    "create": lambda logical_id, properties, stack: (logical_id, {}),
    "update": lambda physical_id, old, new, stack: (physical_id, {}),
    "delete": lambda physical_id, properties: None,
}

if __name__ == "__main__":
    app.main()
