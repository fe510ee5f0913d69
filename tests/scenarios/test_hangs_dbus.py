#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A call of a method over D-Bus that is never answered: the service, and what keeps it, is named by
run and by its trace; clients that wait for signals of the bus are not accused."""
import os
from concurrent.futures import ThreadPoolExecutor

from expectations import expect, expect_equal, expect_in
from findings import AT_ONCE, severe
from hangs import named_parties, traced
from harness import main, needs, scenario, Skip
from traces import call

MAY_RUN_BESIDE_OTHERS = True

SERVICE = """
import dbus, dbus.service, os, sys, time
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib
class Service(dbus.service.Object):
    @dbus.service.method("org.x.Y")
    def Sleeps(self):
        time.sleep(1000)
    @dbus.service.method("org.x.Y", async_callbacks=("ok", "failed"))
    def Forgets(self, ok, failed):
        pass
    @dbus.service.method("org.x.Y")
    def Answers(self):
        return "here"
DBusGMainLoop(set_as_default=True)
bus = dbus.SessionBus()
name = dbus.service.BusName("org.x.Y", bus)
service = Service(bus, "/")
os.write(2, b"service=%d\\n" % os.getpid())
open("ready", "w").close()
GLib.MainLoop().run()
"""
BUS = """
cd "$0"
dbus-daemon --session --nofork "--address=unix:path=$0/bus" 2>/dev/null & echo bus=$! >&2
until [ -S bus ]; do sleep 0.05; done
export DBUS_SESSION_BUS_ADDRESS="unix:path=$0/bus"
/usr/bin/python3 service & until [ -e ready ]; do sleep 0.05; done
CLIENT & echo client=$! >&2
wait
"""
CALL = "gdbus call --session --timeout 1000 --dest org.x.Y --object-path / --method org.x.Y."
PYTHON_CALL = """/usr/bin/python3 -c 'import dbus
dbus.SessionBus().get_object("org.x.Y", "/").Sleeps(dbus_interface="org.x.Y", timeout=1000)' """

# What the client does, and what keeps the service.
HANGS = {
    "asleep": (CALL + "Sleeps", "] sleeps until its time is over"),
    "libdbus": (PYTHON_CALL, "] sleeps until its time is over"),
    "forgotten": (CALL + "Forgets", "] waits in poll() for dbus-daemon["),
}
SOUND = {
    "monitor": "dbus-monitor --session >/dev/null",
    "signals": "gdbus monitor --session --dest org.x.Y >/dev/null",
    "answered": "{ " + CALL + "Answers >/dev/null; exec sleep 1000; }",
    "no-reply": "{ dbus-send --session --dest=org.x.Y / org.x.Y.Forgets; exec sleep 1000; }",
}


def has_modules():
    needs("dbus-daemon", "gdbus", "dbus-monitor", "dbus-send")
    script = "import dbus, gi.repository.GLib"
    if call(["/usr/bin/python3", "-c", script], check=False).returncode:
        raise Skip("needs dbus and gi of Python")


def told(directory, name, client):
    top = os.path.join(directory, name)
    place = os.path.join(top, "work")
    os.makedirs(place)
    with open(os.path.join(place, "service"), "w", encoding="ascii") as file:
        file.write(SERVICE)
    said, findings, result = traced(top, ["sh", "-c", BUS.replace("CLIENT", client), place], 5)
    parties = named_parties(result)
    expect_equal(len(parties), 3, f"{name}: all came so far")
    return said, severe(findings), parties


def hangs(directory, name):
    client, kept = HANGS[name]
    said, found, parties = told(directory, name, client)
    expect_equal([f["id"] for f in found], ["no-answer"], f"{name}: {found}")
    missing = set(parties.values()) - set(found[0]["processes"])
    expect(not missing, f"{name}: all three", found)
    passed = f"and passed it on to python3[{parties['service']}], whose method it calls; python3["
    expect_in(passed, found[0]["text"], name)
    expect_in(kept, found[0]["text"], name)
    expect_in(passed, said, f"{name}: run says so")


def sound(directory, name):
    expect_equal(told(directory, name, SOUND[name])[1], [], name)


@scenario("a D-Bus call without an answer: which service has it, and what that waits for")
def unanswered(directory):
    has_modules()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda name: hangs(directory, name), HANGS))


@scenario("clients of D-Bus that were answered, want no answer, or wait for signals are not accused")
def answered(directory):
    has_modules()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda name: sound(directory, name), SOUND))


if __name__ == "__main__":
    main()
