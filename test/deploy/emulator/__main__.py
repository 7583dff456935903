"""
Starts MiniStack 1.5.33 with what AWS does and it does not. `MINISTACK_SSL_CERT=FILE MINISTACK_SSL_KEY=FILE python
test/deploy/emulator`; the files are written here.

Each mend names the page of AWS's documentation that it follows; docs.aws.amazon.com stands before each. The emulator's inner
names are its own: another version of it needs another look at all of this.
"""
import os

import tls

tls.write_certificate(
    os.environ["MINISTACK_SSL_CERT"], os.environ["MINISTACK_SSL_KEY"], region=os.environ["MINISTACK_REGION"])

# `condition_keys` stands first: the emulator's other parts import by name what it replaces.
import condition_keys  # noqa: E402, F401
import callers_of_functions  # noqa: E402, F401
import first_versions  # noqa: E402, F401
import resource_types  # noqa: E402, F401
import rest_api  # noqa: E402, F401
import roles_of_functions  # noqa: E402, F401
from ministack import app  # noqa: E402

# It would take port 443 as well, and two runs at once would share it.
app._port_is_bindable = lambda host, port: False

if __name__ == "__main__":
    app.main()
