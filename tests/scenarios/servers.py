# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Scripts that start a server, wait until it is ready, and ask it."""
import os
import shlex
import socket

from harness import lab, record

# A line of a script: goes on when the command that is filled in succeeds; ends with 9 if $S does.
WAIT = "until %s >/dev/null 2>&1; do kill -0 $S || exit 9; sleep 0.02; done"


def script(directory, *lines, options=(), **others):
    """Records a shell that executes these lines in the directory."""
    return record(directory, ["sh", "-c", "\n".join(lines)], *options, cwd=directory, **others)


def free_port():
    """A TCP port of loopback that nobody has at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def ask_echo(directory, port=0, *options):
    """A line that starts the HTTP echo lab, waits for its address, and has curl ask it there."""
    fifo = shlex.quote(os.path.join(directory, "ready"))
    curl = shlex.join(["curl", "--silent", "--max-time", "20", *options])
    return (
        f"mkfifo {fifo}; {shlex.join(lab('httpecho', port))} >{fifo} & read -r url <{fifo}; "
        f'{curl} "$url"; wait $!'
    )
