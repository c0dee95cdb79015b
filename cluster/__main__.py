"""The command scripts/cluster."""

import argparse
import asyncio
import sys
from pathlib import Path

from cluster.errors import ClusterRefused
from cluster.node import settings_of
from cluster.servers import run_scheduler, run_worker
from settings import settings_path
from tls.certificates import CertificateError
from tls.cluster import CA_DAYS, DAYS, make_cluster_ca, make_cluster_certificate

ROOT = Path(__file__).resolve().parents[1]
EPILOGUE = """a cluster, step by step: docs/cluster.md

on one machine, which keeps the CA's key:
  scripts/cluster ca
  scripts/cluster certificate node1 --node      for each node: its scheduler, its worker, or both
  scripts/cluster certificate anna --client     for whoever starts scripts/ocr --cluster

on the nodes, with [cluster] of settings.local.toml:
  scripts/cluster scheduler                     on one of them
  scripts/cluster worker                        on each that reads
"""


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="scripts/cluster",
        description="Read folders on many machines: their scheduler, workers and certificates.",
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, said in (
        ("scheduler", "run the scheduler; ends with SIGTERM"),
        ("worker", "run this machine's worker; ends with SIGTERM"),
    ):
        one = commands.add_parser(name, help=said)
        one.add_argument(
            "--settings", type=Path, help="default: OCR_SETTINGS, otherwise settings.toml"
        )
    folder = ROOT / "tls" / "cluster"
    ca = commands.add_parser("ca", help="make the CA of a new cluster")
    certificate = commands.add_parser("certificate", help="make a certificate of a node or client")
    for each in (ca, certificate):
        each.add_argument("--directory", type=Path, default=folder, help="default: tls/cluster")
    certificate.add_argument("name", help="of the machine, or of the person")
    kind = certificate.add_mutually_exclusive_group(required=True)
    kind.add_argument("--node", action="store_true", help="for a scheduler or a worker")
    kind.add_argument("--client", action="store_true", help="for scripts/ocr --cluster")
    certificate.add_argument(
        "--days", type=int, default=DAYS, help=f"1 to {CA_DAYS}, default {DAYS}"
    )
    return made


def _make(given: argparse.Namespace) -> None:
    """Make certificates, and say what goes where.

    Raises:
        ClusterRefused: it cannot be made.

    """
    try:
        if given.command == "ca":
            made = make_cluster_ca(given.directory)
            _print(f"CA   {made.certificate}", "     copy it to every node and client")
            _print(f"key  {made.key}", "     leave it here: with it one can run code on every node")
            return
        made = make_cluster_certificate(
            given.directory, given.name, node=given.node, days=given.days
        )
    except CertificateError as error:
        raise ClusterRefused(str(error)) from None
    except OSError as error:
        raise ClusterRefused(f"{error.filename}: {error.strerror}") from None
    _print(f"certificate  {made.certificate}", f"key          {made.key}")
    if given.node:
        _print("Copy both and ca.pem to the node; name them in [cluster] of settings.local.toml.")
    else:
        _print("Copy both and ca.pem to the client: scripts/ocr --cluster ... --help names them.")


def _print(*lines: str) -> None:
    for line in lines:
        print(line)  # noqa: T201 - what the command is asked for


def main() -> int:
    """Run a command; return its exit status."""
    given = _parser().parse_args()
    try:
        if given.command in {"ca", "certificate"}:
            _make(given)
            return 0
        path = given.settings or settings_path()
        settings = settings_of(path)
        if given.command == "scheduler":
            asyncio.run(run_scheduler(settings, path.parent))
        else:
            asyncio.run(run_worker(settings, path.parent, _version()))
    except ClusterRefused as error:
        print(f"cluster: {error}", file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _version() -> str:
    """Return the version of the client's code in this checkout, which workers run."""
    from sealed_ocr_client.cluster.task import VERSION  # noqa: PLC0415

    return VERSION


if __name__ == "__main__":
    sys.exit(main())
