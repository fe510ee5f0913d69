# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Scripts that start a server, wait until it is ready, and ask it."""
import contextlib
import os
import random
import shlex
import socket
import subprocess

from harness import lab, record, start, wait_for

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


SSHD = """ListenAddress 127.0.0.1
HostKey {directory}/key
AuthorizedKeysFile {directory}/key.pub
PidFile none
StrictModes no
UsePAM no
"""


def listens(port):
    """Some line of the table has the port as its own (0A: it listens)."""
    with open("/proc/net/tcp", encoding="ascii") as file:
        return any(f":{port:04X} 00000000:0000 0A" in line for line in file)


@contextlib.contextmanager
def remote_shell(directory):
    """The words of an ssh to a server of our own."""
    key, config, port = f"{directory}/key", f"{directory}/config", free_port()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    with open(config, "w", encoding="utf-8") as file:
        file.write(SSHD.format(directory=directory))
    os.makedirs("/run/sshd", exist_ok=True)  # where sshd puts its unprivileged part (chroot)
    server = start(directory, ["/usr/sbin/sshd", "-D", "-e", "-f", config, "-p", str(port)])
    try:
        wait_for(lambda: listens(port), "sshd to listen")
        yield ["ssh", "-F", "none", "-i", key, "-p", str(port), "-o", "BatchMode=yes",
               "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
               "-o", "LogLevel=ERROR", "127.0.0.1"]
    finally:
        server.process.terminate()
        server.process.wait()
