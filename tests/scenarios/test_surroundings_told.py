#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""doctor in a container, on Windows and under lockdown, by what tells it there: what to add."""
import ctypes
import os
import shlex
import struct

from expectations import expect, expect_equal, expect_in
from harness import main, needs, scenario
from traces import IPCLENS, call

NO_RIGHTS = ["capsh", "--drop=cap_sys_admin,cap_bpf,cap_perfmon", "--", "-c"]
IN_PODMAN = "mount -t tmpfs none /run && touch /run/.containerenv"
IN_KUBERNETES = "mount -t tmpfs none /run && mkdir -p /run/secrets/kubernetes.io"
ADD_RIGHTS = "sudo podman run --cap-add BPF --cap-add PERFMON"


def doctor(setup, words=(), namespaces=("--mount",), **options):
    """Its exit status, and what it says of each thing, behind `setup` in namespaces of its own."""
    command = f"{shlex.quote(IPCLENS)} doctor"
    if words:  # they end with -c
        command = f"{shlex.join(words)} {shlex.quote(command)}"
    script = f"{setup} && exec {command}"
    done = call(["unshare", *namespaces, "sh", "-c", script], check=False, **options)
    lines = done.stdout.decode().splitlines()
    said = {line[6:31].strip(): (line[:4].strip(), line[31:]) for line in lines[:-1]}
    return done.returncode, said


def forbid_bpf():
    """As the filter of a container's engine does: bpf(2) fails with EPERM."""
    number = {"x86_64": 321, "aarch64": 280}[os.uname().machine]
    code = b"".join(struct.pack("HBBI", *row) for row in (
        (0x20, 0, 0, 0),  # the call's number
        (0x15, 0, 1, number),
        (0x06, 0, 0, 0x00050001),  # fails with EPERM
        (0x06, 0, 0, 0x7FFF0000),
    ))
    text = ctypes.create_string_buffer(code)
    program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(text))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, program):
        raise OSError(ctypes.get_errno(), "prctl")


@scenario("a container is named, with what to start it with, to copy")
def container(directory):
    needs("capsh", "unshare")
    status, said = doctor(IN_PODMAN, NO_RIGHTS)
    expect_equal(status, 1, f"exit status; {said}")
    expect_equal(said["container"][0], "ok", "it is no fault")
    expect_in("Podman", said["container"][1], "which")
    expect_equal(said["rights"], ("FAIL", f"no CAP_BPF and CAP_PERFMON: {ADD_RIGHTS}"), "rights")
    status, said = doctor(IN_KUBERNETES, NO_RIGHTS)
    expect_in("add: [BPF, PERFMON]", said["rights"][1], "rights in Kubernetes")
    status, said = doctor(IN_PODMAN, NO_RIGHTS, ("--mount", "--pid", "--fork", "--mount-proc"))
    expect_in("processes of its own", said["container"][1], "a PID namespace")
    expect_in("--pid host", said["container"][1], "what shows the others")
    if not os.path.exists("/.dockerenv"):  # else the tests themselves run in a container
        status, said = doctor("true", NO_RIGHTS)
        expect_in("sudo ipclens doctor", said["rights"][1], "what to do on the machine itself")


@scenario("rights of a user namespace are no rights: a rootless container")
def rootless(directory):
    needs("unshare")
    status, said = doctor(IN_PODMAN, (), ("--mount", "--user", "--map-root-user"))
    expect_equal(status, 1, f"exit status; {said}")
    expect_equal(said["rights"][0], "FAIL", "rights")
    expect_in("user namespace", said["rights"][1], "why")
    expect_in(ADD_RIGHTS, said["rights"][1], "what to type")
    done = call(["unshare", "--user", "--map-root-user", IPCLENS, "run", "--", "true"], check=False)
    expect_in("user namespace", done.stderr.decode(), "run")
    expect_equal(done.returncode, 125, "its status")


@scenario("a filter that forbids bpf(2) although the rights are there is named")
def filtered(directory):
    needs("unshare")
    status, said = doctor(IN_PODMAN, preexec_fn=forbid_bpf)
    expect_equal(status, 1, f"exit status; {said}")
    expect_equal(said["rights"][0], "ok", "rights")
    expect_equal(said["system calls"][0], "FAIL", "the filter")
    expect_in("--security-opt seccomp=unconfined", said["system calls"][1], "what to add")


@scenario("WSL 1, an old WSL 2 and lockdown say what to type")
def elsewhere(directory):
    needs("unshare", "capsh")
    name = os.path.join(directory, "file")

    def bound(text, path):
        with open(name, "w", encoding="ascii") as file:
            file.write(text)
        return f"mount --bind {shlex.quote(name)} {path}"

    release = "/proc/sys/kernel/osrelease"
    for text, what, advice in (
        ("4.4.0-19041-Microsoft\n", "WSL 1", "wsl --set-version"),
        ("5.15.167.4-microsoft-standard-WSL2\n", "WSL 2", "wsl --update"),
    ):
        status, said = doctor(bound(text, release))
        expect_equal(status, 1, f"exit status; {said}")
        expect_equal(said[what][0], "FAIL", what)
        expect_in(advice, said[what][1], what)
        expect_in(text.strip(), said["kernel"][1], "the kernel's name")
    status, said = doctor(bound("6.6.87.2-microsoft-standard-WSL2\n", release), NO_RIGHTS)
    expect_equal(said["WSL 2"][0], "ok", "a WSL 2 of today")
    folder = "/sys/kernel/security"
    expect(os.path.isdir(folder), "this kernel has securityfs")
    lockdown = f"mount -t tmpfs none {folder} && touch {folder}/lockdown && "
    _, said = doctor(lockdown + bound("none integrity [confidentiality]\n", folder + "/lockdown"),
                     NO_RIGHTS)
    expect_equal(said["lockdown"][0], "weak", "confidentiality")
    expect_in("lockdown=integrity", said["lockdown"][1], "what to boot with")
    _, said = doctor(lockdown + bound("none [integrity] confidentiality\n", folder + "/lockdown"),
                     NO_RIGHTS)
    expect_equal(said["lockdown"][0], "ok", "integrity")


if __name__ == "__main__":
    main()
