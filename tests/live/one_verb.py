"""One verb to one node, as an operator's command sends it: ``HOME HOST:PORT VERB ARGUMENTS``.

ARGUMENTS is a JSON object. What a command would do next is not done, as if its terminal had died.
Exit code 0: the node said yes.
"""

import json
import sys
from pathlib import Path

from clients.ops.reactor import on_reactor
from config.load import load_client


def main() -> int:
    home, place, verb, arguments = sys.argv[1:]
    settings = load_client(Path(home), {})
    said = json.loads(arguments)
    heard = on_reactor(settings, lambda asking: asking.one(place, verb, said, 10.0))
    print(heard)
    return 0 if heard.answer is not None and heard.answer.ok else 1


if __name__ == "__main__":
    sys.exit(main())
