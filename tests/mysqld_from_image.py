"""A real MySQL for a machine whose distribution has none: the one in a container image, unpacked.

It runs without the container engine, under the image's own loader, because the image may be of a
newer system than the machine.
"""

import os
import shutil
import subprocess
from pathlib import Path

WANTED = ("usr/sbin/mysqld", "usr/share/mysql*", "usr/lib64", "usr/lib/x86_64-linux-gnu")
LOADER = "usr/lib64/ld-linux-x86-64.so.2"
LIBRARIES = ("usr/lib/x86_64-linux-gnu", "usr/lib64", "usr/lib64/mysql/private")


def missing():
    """Why there is none; None where there is one."""
    image = os.environ.get("BENCH_MYSQL_IMAGE")
    if not image or not shutil.which("docker"):
        return "no mysqld of MySQL, and no image in BENCH_MYSQL_IMAGE or no docker to take it from"
    return None


def unpacked(folder):
    """Unpack it below *folder* and return the folder of its ``mysqld``, which goes on PATH."""
    _extract(os.environ["BENCH_MYSQL_IMAGE"], folder)
    server = folder / "usr" / "sbin" / "mysqld"
    server.rename(server.with_name("mysqld.real"))
    libraries = ":".join(str(folder / one) for one in LIBRARIES)
    server.write_text(
        f'#!/bin/sh\nexec {folder / LOADER} --library-path {libraries} {server}.real "$@"\n'
    )
    server.chmod(0o755)
    return server.parent


def _extract(image, folder: Path):
    created = subprocess.run(
        ["docker", "create", image], capture_output=True, text=True, check=True
    )
    container = created.stdout.strip()
    try:
        with subprocess.Popen(["docker", "export", container], stdout=subprocess.PIPE) as export:
            command = ["tar", "-x", "-C", folder, "--wildcards", *WANTED]
            # a path that this image has not is an error of tar, and none of ours
            subprocess.run(command, stdin=export.stdout, stderr=subprocess.DEVNULL, check=False)
    finally:
        subprocess.run(
            ["docker", "rm", "--volumes", container], stdout=subprocess.DEVNULL, check=True
        )
