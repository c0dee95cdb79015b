"""Capped hosts with the service, behind nginx, and a client: what scale.py and capacity.py measure.

Of all that a node does (service, decoders, engines, workers) the cap is of the whole. A further
host has redis and nginx, which is TLS to the client and verified TLS to the services.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.lab import Host, Lab
from bench.lab_service import PORT, LabService, Redis, Site

ROOT = Path(__file__).resolve().parent.parent
FRONT_PORT = 9000
FRONT_CORES, CLIENT_CORES = 0.4, 0.3
FIRST = os.getpriority(os.PRIO_PROCESS, 0) <= 0  # a bench that is run with nice disturbs nobody
# Half a core has no use for a second engine or thread.
ONE_ENGINE = {"OCR_ENGINE__PROCESSES": "1", "OCR_ENGINE__THREADS": "1", "OCR_ENGINE__WARM": "true"}

NGINX = """
daemon off;
user {user};
pid {folder}/nginx.pid;
error_log stderr emerg;
worker_processes 1;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    client_max_body_size 0;
    client_body_buffer_size 512k;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    proxy_http_version 1.1;
    proxy_request_buffering off;
    proxy_buffering off;
    proxy_connect_timeout 2s;
    proxy_set_header Connection "";
    proxy_ssl_verify on;
    proxy_ssl_trusted_certificate {ca};
    proxy_ssl_name localhost;
    proxy_ssl_protocols TLSv1.3;
    {servers}
}}
"""
SERVER = """
    upstream nodes{port} {{ least_conn; {nodes} keepalive 32; keepalive_timeout 50s; }}
    server {{
        listen {address}:{port} ssl http2;
        location / {{ proxy_pass https://nodes{port}; }}
    }}
"""


@dataclass
class Nodes:
    """Services on capped hosts; `front(n)` is the URL of nginx before the first n of them."""

    site: Site
    redis: Redis
    services: list[LabService]
    client: Host
    balancer: Host
    settings: Mapping[str, str]
    nginx: "subprocess.Popen[Any]"

    def front(self, number: int) -> str:
        """Return the URL of nginx before the first `number` services."""
        return f"https://{self.balancer.address}:{FRONT_PORT + number}"

    def restart(self, number: int) -> None:
        """Start a service again whose host was killed."""
        self.services[number].stop()
        fresh = self.site.service(
            self.services[number].host, redis=self.redis, environment=self.settings
        )
        self.services[number] = fresh.__enter__()
        fresh.wait_until_ready()

    def run_client(self, command: Sequence[str | Path], **options: Any) -> "subprocess.Popen[Any]":
        """Start a program on the client's host, which has the key."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.site.lab.directory),
                       "SEALED_OCR_KEY": self.site.key, "PYTHONPATH": str(ROOT)}  # fmt: skip
        return self.client.popen(command, env=environment, cwd=ROOT, **options)


@contextmanager
def nodes(
    number: int,
    cores: float,
    *,
    client_cores: float = CLIENT_CORES,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Nodes]:
    """Run so many services, each on a host with so many cores; `settings` are environment's."""
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="sealed-ocr-lab-")))
        lab = running.enter_context(Lab(folder))
        site = Site(lab)
        balancer = lab.host("front", cpu=FRONT_CORES, first=FIRST)
        redis = running.enter_context(site.redis(balancer))
        client = lab.host("client", cpu=client_cores, first=FIRST)
        hosts = [lab.host(f"node{each + 1}", cpu=cores, first=FIRST) for each in range(number)]
        nginx = start_nginx(site, balancer, hosts)
        made = Nodes(site, redis, [], client, balancer, {**ONE_ENGINE, **(settings or {})}, nginx)
        running.callback(lambda: [each.stop() for each in made.services])
        for host in hosts:
            service = site.service(host, redis=redis, environment=made.settings)
            made.services.append(service.__enter__())
        for one in made.services:
            one.wait_until_ready()
        yield made


def start_nginx(site: Site, host: Host, services: Sequence[Host]) -> "subprocess.Popen[Any]":
    """Start nginx: on a port for each number of services, before so many of them.

    Raises:
        FileNotFoundError: nginx is not installed.

    """
    folder = site.lab.directory / "nginx"
    folder.mkdir()
    certificate, key = site.certificate(host)
    servers = [
        SERVER.format(
            port=FRONT_PORT + number,
            address=host.address,
            nodes=" ".join(
                f"server {each.address}:{PORT} max_fails=1 fail_timeout=10s;"
                for each in services[:number]
            ),
        )
        for number in range(1, len(services) + 1)
    ]
    (folder / "nginx.conf").write_text(
        NGINX.format(
            folder=folder,
            user="root",
            certificate=certificate,
            key=key,
            ca=site.ca,
            servers="".join(servers),
        ),
        "utf-8",
    )
    path = f"{os.environ['PATH']}:/usr/sbin"
    return host.popen(
        ["nginx", "-p", folder, "-c", folder / "nginx.conf", "-e", "stderr"], env={"PATH": path}
    )
