# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Kernels and libraries of Debian's archive, unpacked and not installed.

The system's apt knows the packages of its own release and machine. Those of other suites and of
other machines an apt of our own asks for, with its own list of sources, its own lists and cache;
the system's is not touched by that.
"""
import functools
import os
import platform
import re
import subprocess
from glob import glob

NEWER_SUITES = ["trixie-backports", "sid"]
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
DEFAULT_MIRROR = "http://deb.debian.org/debian"

# linux-image-6.12.9-FLAVOUR; from 6.19 on the kernel lies in a package linux-binary-... .
NAMED = r"linux-(image|binary)-(\d+(?:\.\d+)+)(?:[+~a-z0-9.]*|-\d+)-"


class Unavailable(Exception):
    """The archive does not give it: why."""


def output_of(*command, env=None):
    try:
        return subprocess.run(command, check=True, text=True, capture_output=True, env=env).stdout
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout).strip().splitlines()
        raise Unavailable(f"{command[0]}: {said[0] if said else error}") from error


def mirror():
    """Where the system's apt takes Debian from, or where everybody does."""
    lines = output_of("apt-get", "indextargets", "--format", "$(LABEL) $(REPO_URI)",
                      "Created-By: Packages").splitlines()
    return next((line.split()[1].rstrip("/") for line in lines if line.startswith("Debian ")),
                DEFAULT_MIRROR)


def release():
    """The suite of the system's own packages, as "bookworm"."""
    return platform.freedesktop_os_release()["VERSION_CODENAME"]


def write(path, text):
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)


class Archive:
    """An apt: the system's, or one of our own in `place`, for the machine that Debian calls `arch`."""

    def __init__(self, place=None, arch="amd64", suites=()):
        self.env, self.suites = None, suites
        if place:
            place = os.path.abspath(place)
            self.env = dict(os.environ, APT_CONFIG=os.path.join(place, "apt.conf"))
            self.prepare(place, arch)
            output_of("apt-get", "update", "-qq", "-o", "APT::Update::Error-Mode=any", env=self.env)

    def prepare(self, place, arch):
        for folder in ("lists/partial", "cache/archives/partial", "state"):
            os.makedirs(os.path.join(place, folder), exist_ok=True)
        if not os.path.exists(KEYRING):
            raise Unavailable("missing: apt-get install debian-archive-keyring")
        write(f"{place}/sources.list", "".join(f"deb [signed-by={KEYRING}] {mirror()} {suite} main\n"
                                               for suite in self.suites))
        write(f"{place}/status", "")
        # Of the system's settings only how the mirror is reached (a proxy). What is signed stays
        # checked; a mirror that lags behind (Valid-Until) is good enough for a test.
        write(f"{place}/apt.conf", output_of("apt-config", "dump", "Acquire::http") + f"""
Dir::Etc::SourceList "{place}/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Parts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State "{place}/state";
Dir::State::Lists "{place}/lists";
Dir::State::Status "{place}/status";
Dir::Cache "{place}/cache";
APT::Architecture "{arch}";
APT::Architectures {{ "{arch}"; }};
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Check-Valid-Until "false";
""")

    def of_metapackage(self, metapackage):
        """linux-image-cloud-amd64 is empty; the kernel is in what it depends on."""
        lines = output_of("apt-cache", "depends", metapackage, env=self.env).splitlines()
        names = [line.split()[-1] for line in lines if "Depends: linux-image" in line]
        if not names:
            raise Unavailable(f"apt does not offer {metapackage}")
        return names[0]

    @functools.cache
    def kernels(self, flavour):
        """(version, package) of all, the newest last."""
        found = (re.fullmatch(NAMED + flavour, name) for name in
                 output_of("apt-cache", "pkgnames", "linux-", env=self.env).split())
        # Where there are both, linux-image is empty; "binary" sorts before "image".
        named = sorted((tuple(map(int, match[2].split("."))), match[1] == "binary", match[0])
                       for match in found if match)
        return [(version, package) for version, _, package in named]

    def newest(self, flavour, series=""):
        """Of all, or of one series, as 7.0."""
        wanted = tuple(int(part) for part in series.split(".") if part)
        for version, package in reversed(self.kernels(flavour)):
            if version[:len(wanted)] == wanted and self.can_download(package):
                return package
        raise Unavailable(f"no kernel {series} of {flavour} in {' or '.join(self.suites)}")

    def series(self, flavour):
        """As 6.19, 7.0, ..., each that can be downloaded."""
        named = {".".join(map(str, version[:2])): package
                 for version, package in self.kernels(flavour)}
        return [name for name, package in named.items() if self.can_download(package)]

    def can_download(self, package):
        """A name may stand in the lists only because another package names it."""
        policy = output_of("apt-cache", "policy", package, env=self.env)
        return "Candidate: " in policy and "Candidate: (none)" not in policy

    def fetch_with_dependencies(self, packages):
        """Paths of the packages' files and of all that they depend on; only with a place of our own."""
        output_of("apt-get", "install", "-qq", "--download-only", "--no-install-recommends",
                  *packages, env=self.env)
        return glob(os.path.join(os.path.dirname(self.env["APT_CONFIG"]), "cache/archives/*.deb"))

    @staticmethod
    def unpack_file(archive, place, *patterns):
        """What fits the patterns, or all that is in it."""
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", archive],
                              stdout=subprocess.PIPE) as unpacked:
            subprocess.run(["tar", "-C", place, "-x", "--keep-directory-symlink", "--wildcards",
                            *patterns], check=False, stdin=unpacked.stdout,
                           stderr=subprocess.DEVNULL)

    def unpack(self, package, place, *patterns):
        """The file of the package in `place` that fits the first pattern of those that it may have."""
        def found():
            return [path for pattern in patterns for path in glob(f"{place}/{pattern}")]

        if not found():
            os.makedirs(place, exist_ok=True)
            done = subprocess.run(["apt-get", "download", package], cwd=place, check=False,
                                  env=self.env, capture_output=True)
            archives = glob(f"{place}/*.deb")
            if done.returncode or len(archives) != 1:
                raise Unavailable(f"apt-get cannot download {package}")
            self.unpack_file(archives[0], place, *(f"./{pattern}" for pattern in patterns))
            os.remove(archives[0])
        if not found():
            raise Unavailable(f"no {' or '.join(patterns)} in {package}")
        return found()[0]
