"""What is wrong with the service on this machine, and the remedy."""

from cluster.service import service as services
from cluster.service.probes import check_free
from cluster.service.roles import is_up
from cluster.service.service import Service
from cluster.service.token_file import check_token
from cluster.system.home import home
from qsynth.errors import QsynthError


def faults() -> list[str]:
    """What would keep the service from starting at its usual ports, or keeps it from working."""
    found = []
    try:
        if (home() / "token").exists():
            check_token(home() / "token")
    except QsynthError as error:
        found.append(str(error))
    service = Service.load()
    if service is None:
        if Service.kept() is not None:
            found.append("the service's processes have died; do: qsynth down, then qsynth up")
        for option, port in services.PORTS.items():
            try:
                check_free(port)
            except QsynthError:
                found.append(f"port {port} is in use by something else; choose another one: qsynth up {option} PORT")
        return found
    if service.dead:
        found.append(f"{' and '.join(service.dead)} of the service has died; do: qsynth up")
    silent = [role for role in service.roles if service.lives(role) and not is_up(service, role)]
    return found + [f"{role} of the service does not answer; see {home()}" for role in silent]
