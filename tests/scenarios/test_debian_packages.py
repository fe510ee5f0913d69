#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The Debian packages of what is built here, in a root that holds what they depend on and no more."""
import glob
import os
import re
import subprocess

from expectations import expect, expect_equal, expect_in
from harness import main, needs, scenario
from traces import BUILD, call

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILT = "-o build/flags -o build/revision"
# What a plain Debian has always.
ESSENTIAL = ["libc6", "libgcc-s1"]


def pack(directory):
    """debian/rules packs the objects that are there: path of each package, by its name."""
    tree = os.path.join(directory, "tree")
    os.mkdir(tree)
    files = call(["git", "-c", "safe.directory=*", "-C", ROOT, "ls-files", "-z", "--cached",
                  "--others", "--exclude-standard"]).stdout.split(b"\0")[:-1]
    names = os.path.join(directory, "names")
    with open(names, "wb") as out:
        out.write(b"\0".join(name for name in files
                             if os.path.lexists(os.path.join(os.fsencode(ROOT), name))))
    archive = os.path.join(directory, "tree.tar")
    call(["tar", "-C", ROOT, "-c", "--null", "-T", names, "-f", archive])
    call(["tar", "-C", tree, "-x", "-f", archive])
    os.symlink(BUILD, os.path.join(tree, "build"))
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS")}
    environment.update(BUILT=BUILT, DPKG_DEB_COMPRESSOR_TYPE="none",
                       DEB_BUILD_OPTIONS="nocheck noautodbgsym")
    call(["make", "-f", "debian/rules", "binary"], cwd=tree, env=environment, timeout=150)
    return {os.path.basename(path).split("_")[0]: path
            for path in glob.glob(os.path.join(directory, "*.deb"))}


def field(package, name):
    return call(["dpkg-deb", "-f", package, name]).stdout.decode().strip()


def files(root):
    return sorted(os.path.join(folder, name) for folder, _, names in os.walk(root) for name in names
                  if not folder.startswith(os.path.join(root, "var", "lib", "dpkg")))


def clean_root(directory, package):
    """A root with the libraries that the package depends on, as this machine has them."""
    root = os.path.join(directory, "root")
    for folder in ("var/lib/dpkg/updates", "var/lib/dpkg/info", "tmp"):
        os.makedirs(os.path.join(root, folder))
    with open(os.path.join(root, "var", "lib", "dpkg", "status"), "wb"):
        pass
    for folder in ("lib", "lib64", "bin"):
        os.symlink("usr/" + folder, os.path.join(root, folder))
    named = [re.match(r"[\w.+-]+", part.strip())[0] for part in field(package, "Depends").split(",")]
    for name in ESSENTIAL + named:
        for path in call(["dpkg", "-L", name]).stdout.decode().split("\n"):
            if re.search(r"\.so(\.\d+)*$", path) and "/gconv/" not in path:
                path = os.path.join("/usr", path.removeprefix("/usr").lstrip("/"))
                target = root + path
                os.makedirs(os.path.dirname(target), exist_ok=True)
                if os.path.exists(path) and not os.path.exists(target):
                    call(["cp", "-L", path, target])
    return root


def dpkg(root, *arguments):
    call(["dpkg", "--root=" + root, "--log=/dev/null", "--force-depends", "--force-not-root",
          "--force-bad-path", *arguments])


@scenario("installed where nothing is but what they depend on, the viewer reads a trace; removed, "
          "nothing stays; the tracer passes its package's own test")
def packages(directory):
    needs("dh", "dpkg-deb", "git")
    made = pack(directory)
    expect_equal(sorted(made), ["ipclens", "ipclens-view", "libipclens-dev"], "packages")
    with open(os.path.join(ROOT, "Makefile"), encoding="utf-8") as makefile:
        version = re.search(r"^VERSION = (.*)$", makefile.read(), re.M)[1]
    for name, path in made.items():
        expect_equal(field(path, "Version"), version, f"version of {name}, as the Makefile has it")
    root = clean_root(directory, made["ipclens-view"])
    before = files(root)
    dpkg(root, "-i", made["ipclens-view"])
    said = call(["chroot", root, "/usr/bin/ipclens-view", "--version"]).stdout.decode()
    expect(said.startswith("ipclens-view " + version), "it runs there", said)
    with open(os.path.join(ROOT, "tests", "gallery", "traces", "connect.ndjson"), "rb") as trace:
        read = call(["chroot", root, "/usr/bin/ipclens-view", "messages", "-"], stdin=trace)
    expect_in('"match":"exact"', read.stdout.decode(), "messages there")
    dpkg(root, "--purge", "ipclens-view")
    expect_equal(files(root), before, "files after removal")
    whole = os.path.join(directory, "whole")
    for name in ("ipclens", "ipclens-view"):
        call(["dpkg-deb", "-x", made[name], whole])
    path = os.path.join(whole, "usr", "bin") + ":" + os.environ["PATH"]
    done = subprocess.run([os.path.join(ROOT, "debian", "tests", "pipeline")], check=False,
                          env=dict(os.environ, PATH=path), capture_output=True, timeout=60)
    expect_equal(done.returncode, 0, "debian/tests/pipeline " + done.stdout.decode()[-2000:]
                 + done.stderr.decode()[-2000:])


if __name__ == "__main__":
    main()
