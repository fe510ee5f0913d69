# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Where a program is started: by an ordinary user, in a terminal of its own."""
import fcntl
import os
import pty
import subprocess
import termios

from traces import call


def sudo_rule(name="ipclens-test", commands="ALL"):
    """Lets the test user run commands as root for as long as the file is there."""
    path = f"/etc/sudoers.d/{name}"
    with open(path, "w", encoding="ascii") as file:
        file.write(f"ipclens-test ALL=(root) NOPASSWD: {commands}\n")
    os.chmod(path, 0o440)
    return path


def login(user):
    """The environment that a login of the user begins with."""
    return {
        "HOME": user.pw_dir,
        "USER": user.pw_name,
        "LOGNAME": user.pw_name,
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "SHELL": "/bin/sh",
    }


def becoming(user):
    """The words that make a command one of the user: its ids and groups, no rights beside."""
    ids = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--init-groups"]
    return ["setpriv", *ids, "--inh-caps=-all", "--"]


def as_user(user, script, folder, **options):
    """A shell of the test user: its own groups and environment, started as by login."""
    words = [*becoming(user), "sh", "-c", script]
    return call(words, env=login(user), cwd=folder, **options)


def user_folder(user, directory):
    folder = os.path.join(directory, "home of the user")
    os.mkdir(folder, 0o700)
    os.chown(folder, user.pw_uid, user.pw_gid)
    return folder


def on_terminal(arguments, rows=0, **options):
    """Starts a program in the foreground of a new terminal; screen() is all that it showed."""
    master, slave = pty.openpty()
    if rows:
        termios.tcsetwinsize(slave, (rows, 80))

    def prepare():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    os.set_blocking(master, False)
    process = subprocess.Popen(
        arguments, stdin=slave, stdout=slave, stderr=slave, preexec_fn=prepare, **options
    )
    os.close(slave)
    shown = bytearray()

    def screen():
        try:
            while part := os.read(master, 65536):
                shown.extend(part)
        except OSError:
            pass
        return bytes(shown)

    return process, master, screen
