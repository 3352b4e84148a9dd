"""Whether this container's Ray node is healthy: exit status 0. Argument ``head``: and the cluster's control store.

Asks over HTTP, as ``ray health-check`` imports Ray, which takes seconds of CPU time. These two paths need no token.
"""

import sys
from urllib.request import urlopen

NODE = "http://127.0.0.1:52365/api/local_raylet_healthz"
HEAD = "http://127.0.0.1:8265/api/gcs_healthz"

for url in (NODE, HEAD) if sys.argv[1:] == ["head"] else (NODE,):
    try:
        urlopen(url, timeout=5).close()
    except OSError as error:
        sys.exit(f"{url}: {error}")
