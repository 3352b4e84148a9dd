"""Starting the service on a machine, and starting again what died of it."""

from pathlib import Path

from cluster.service.daemon import end
from cluster.service.driver_slots import offer_with_drivers
from cluster.service.drivers import end_dead
from cluster.service.probes import LOOPBACK, check_free, own_address
from cluster.service.roles import start_role, wait_for_role
from cluster.service.service import Offer, Service, changing
from cluster.service.token_file import adopted_token, own_token


def start_head(out: Path, host: str, port: int, dashboard_port: int, mlflow_port: int, offer: Offer) -> Service:
    """Start a Ray head with dashboard and Jobs API, an MLflow server and what supervises them; where there is a
    service already, start what died of it.

    Args:
        host: the address that workers of other machines join; loopback takes none. Dashboard and MLflow are on
            loopback in any case.
        offer: what studies may use of this machine; 0 drivers: as many as suit it.

    Raises:
        QsynthError: something else uses a port, or a process does not come up.
    """
    found = Service.load()
    if found is not None:
        return revived(found)
    for each in (port, dashboard_port, mlflow_port):
        check_free(each)
    own_token()
    offer = offer_with_drivers(offer)
    out = out.absolute()
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = Service(
        processes={},
        cluster=f"{host}:{port}",
        host=host,
        offer=offer,
        dashboard=f"http://{LOOPBACK}:{dashboard_port}",
        tracking_uri=f"http://{LOOPBACK}:{mlflow_port}",
        out=str(out),
    )
    return revived(made)


def join(address: str, token: Path | None, offer: Offer) -> Service:
    """Start a Ray worker that joins the head at ``address`` (HOST:PORT), and what supervises it; where there is one
    already, start what died of it.

    Args:
        token: a copy of the head's token; left out: this machine's own.
        offer: what studies may use of this machine.

    Raises:
        QsynthError: no token, or the head does not take the worker.
    """
    found = Service.load()
    if found is not None:
        return revived(found)
    adopted_token(token)
    return revived(Service(processes={}, cluster=address, host=own_address(address), offer=offer))


def revived(service: Service) -> Service:
    """The service with all its processes up: those that died are started again, at their ports.

    Raises:
        QsynthError: one does not come up; those that were started meanwhile are ended.
    """
    with changing():
        service = Service.load() or service  # the supervisor may have been faster
        dead = service.dead
        if not dead:
            return service
        end_dead(service, dead)
        started = {}
        try:
            for role in dead:
                started[role] = start_role(service, role)
            service = service.having(started)
            service.keep()
            for role in reversed(dead):
                wait_for_role(service, role)
        except BaseException:
            end(started.values())
            if Service.load() is None:
                service.forget()
            raise
        return service
