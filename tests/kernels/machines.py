# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The machines that QEMU emulates, and what a program built for one of them needs to run there."""
import os
import re
import subprocess
from glob import glob
from typing import NamedTuple


class Machine(NamedTuple):
    """A kind of computer. To add one: a constant below, and its kernels in FLAVOURS of `run`."""
    arch: str  # as Debian calls it
    processor: str  # as uname(2) does
    package: str  # which has the emulator
    options: tuple  # of the emulator
    console: str  # where the kernel writes to
    results: str  # where init does

    @property
    def emulator(self):
        return f"qemu-system-{self.processor}"

    @property
    def foreign(self):
        return self.processor != os.uname().machine

    def build(self, native):
        """Where ipclens is built for it, see ARCH in the Makefile."""
        return os.path.join(native, self.arch) if self.foreign else native

    def command(self, kernel, initramfs, console, results):
        # tcg: the /dev/kvm of some cloud machines opens but cannot run a stock kernel.
        return [self.emulator, "-accel", "tcg", "-nodefaults", "-display", "none", "-no-reboot",
                *self.options, "-kernel", kernel, "-initrd", initramfs, "-append",
                f"console={self.console} results={self.results} panic=-1 no_timer_check",
                "-serial", f"file:{console}", "-chardev", f"file,id=results,path={results}"]


AMD64 = Machine("amd64", "x86_64", "qemu-system-x86",
                ("-m", "512", "-smp", "1", "-device", "isa-serial,chardev=results"),
                "ttyS0", "ttyS1")
# Of the processor's features, pointer authentication takes long to emulate as it really is.
ARM64 = Machine("arm64", "aarch64", "qemu-system-arm",
                ("-m", "1024", "-smp", "2", "-M", "virt", "-cpu", "max,pauth-impdef=on",
                 "-device", "pci-serial,chardev=results"),
                "ttyAMA0", "ttyS0")


def libraries_here(program):
    """The shared libraries and the loader that a program of this machine needs: {there: here}."""
    done = subprocess.run(["ldd", program], text=True, capture_output=True, check=False)
    return {word: word for word in done.stdout.split() if word.startswith("/")}


def named_by(program):
    """What a program's or library's head asks for: names of libraries, and the loader's path."""
    said = subprocess.run(["readelf", "-ld", program], text=True, capture_output=True, check=True)
    return re.findall(r"Shared library: \[(.+?)\]|program interpreter: (.+?)\]", said.stdout)


def libraries_of_root(program, root, known=None):
    """The same of a program of another machine, whose libraries lie in `root`."""
    known = {} if known is None else known
    for library, loader in named_by(program):
        places = [root + loader] if loader else glob(f"{root}/usr/lib/*-linux-gnu/{library}")
        for here in places:
            there = here[len(root):]
            if there not in known:
                known[there] = here
                libraries_of_root(here, root, known)
    return known
