# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Scripts that start a server, wait until it is ready, and ask it."""
import os
import random
import shlex
import socket

from harness import lab, record

# A line of a script: goes on when the command that is filled in succeeds; ends with 9 if $S does.
WAIT = "until %s >/dev/null 2>&1; do kill -0 $S || exit 9; sleep 0.02; done"

# What they answer does not matter; {directory} and {port} are filled in.
NGINX = """daemon off; worker_processes 2; pid nginx.pid; error_log error.log; user root;
events {} http { access_log access.log; server {
listen 127.0.0.1:{port}; location / { return 200 'from nginx'; } } }
"""

APACHE = """ServerName localhost
ServerRoot {directory}
PidFile {directory}/apache.pid
ErrorLog {directory}/error.log
Listen 127.0.0.1:{port}
LoadModule mpm_prefork_module /usr/lib/apache2/modules/mod_mpm_prefork.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
StartServers 3
DocumentRoot {directory}
User www-data
Group www-data
"""


def script(directory, *lines, options=(), **others):
    """Records a shell that executes these lines in the directory."""
    return record(directory, ["sh", "-c", "\n".join(lines)], *options, cwd=directory, **others)


def free_port():
    """A TCP port of loopback that nobody has, and that the kernel gives to nobody (ip(7))."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        first_given = int(file.read().split()[0])
    while True:
        port = random.randrange(max(1024, first_given // 2), first_given)
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue


def ask_echo(directory, port=0, *options):
    """A line that starts the HTTP echo lab, waits for its address, and has curl ask it there."""
    fifo = shlex.quote(os.path.join(directory, "ready"))
    curl = shlex.join(["curl", "--silent", "--max-time", "20", *options])
    return (
        f"mkfifo {fifo}; {shlex.join(lab('httpecho', port))} >{fifo} & read -r url <{fifo}; "
        f'{curl} "$url"; wait $!'
    )
