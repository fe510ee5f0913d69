#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Programs in Java that hang at a process or a socket, or run soundly: by run, in its trace and by -p."""
import os

from expectations import expect_equal, expect_in
from findings import severe
from hangs import PYTHON, compiled_java, hanging, named_parties, traced, untraced
from harness import each_in_place, main, scenario

MAY_RUN_BESIDE_OTHERS = True

JAVA = """
import com.sun.net.httpserver.HttpServer;
import java.io.*;
import java.net.*;
import java.util.concurrent.CyclicBarrier;
public class Waits {
    static void tell(String who, long pid) {
        System.err.println(who + "=" + pid);
    }
    static Process child(String... command) throws Exception {
        Process child = new ProcessBuilder(command).start();
        tell("child", child.pid());
        return child;
    }
    static void read(InputStream from) throws Exception {
        new BufferedReader(new InputStreamReader(from)).readLine();
    }
    static void monitors() throws Exception {
        Object a = new Object(), b = new Object();
        var both = new CyclicBarrier(2);
        new Thread(() -> take(b, a, both)).start();
        take(a, b, both);
    }
    static void take(Object first, Object second, CyclicBarrier both) {
        try {
            synchronized (first) {
                both.await();
                synchronized (second) { System.exit(1); }
            }
        } catch (Exception e) {
            System.exit(1);
        }
    }
    static void serve(boolean busy) throws Exception {
        var server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(200, 2);
            exchange.getResponseBody().write("ok".getBytes());
            exchange.close();
        });
        server.start();
        var url = new URL("http://127.0.0.1:" + server.getAddress().getPort() + "/");
        for (int i = 0; busy && i < 50; i++)
            url.openConnection(Proxy.NO_PROXY).getInputStream().readAllBytes();
    }
    public static void main(String[] words) throws Exception {
        Process child;
        switch (words[0]) {
        case "unread": child("head", "-c", "1000000", "/dev/zero").waitFor(); break;
        case "errors": read(child("sh", "-c", "head -c 1000000 /dev/zero >&2; echo").getInputStream());
                       break;
        case "unclosed": child = child("sort");
                         child.getOutputStream().write(10);
                         child.getOutputStream().flush();
                         read(child.getInputStream());
                         break;
        case "client": var socket = new Socket("127.0.0.1", Integer.parseInt(words[1]));
                       socket.getOutputStream().write(10);
                       tell("java", ProcessHandle.current().pid());
                       socket.getInputStream().read();
                       break;
        case "monitors": tell("java", ProcessHandle.current().pid()); monitors(); break;
        default: serve(words[0].equals("busy")); tell("java", ProcessHandle.current().pid());
        }
    }
}
"""

# What each is, and the remedy in the words of Java.
HANGS = {
    "unread": ("full-channel", "before waitFor()"),
    "errors": ("full-channel", "redirectErrorStream(true)"),
    "unclosed": ("blocked", "close getOutputStream()"),
}

# The server of the client, which asks itself for an answer.
SILENT = """
import os, socket, sys
server = socket.create_server(("127.0.0.1", 0))
if not os.fork():
    port = str(server.getsockname()[1])
    server.close()
    os.execvp("java", ["java", *sys.argv[1:], "client", port])
client = server.accept()[0]
client.recv(1)
os.write(2, b"server=%d\\n" % os.getpid())
os.read(os.pipe()[0], 1)
"""

# An AB-BA of monitors is no warning: their sleepers wake up by a clock, as idle ones do.
CALM = ["idle", "busy", "monitors"]


def compiled(directory):
    return ["-XX:+UseSerialGC", *compiled_java(directory, "Waits", JAVA)]


@scenario("a program in Java that waits for a child which waits for it is told which stream to read")
def children(directory):
    options = compiled(directory)
    for name, (finding, advice), place in each_in_place(directory, HANGS):
        command = ["java", *options, name]
        _, findings, result = traced(place, command, 4)
        looked, other = untraced(place, command, hanging(1), finding, severe)
        for found, run in ((findings, result), (looked, other)):
            told = severe(found)
            expect_equal([f["id"] for f in told], [finding], name)
            expect_in(advice, told[0]["advice"], name)
            expect_in(named_parties(run)["child"], told[0]["processes"], "the child")
            expect_in("java[", told[0]["text"], "the program")


def client_of(run):
    return named_parties(run)["java"]


def of_client(findings):
    return [finding for finding in severe(findings) if finding["text"].startswith("java[")]


@scenario("a client in Java whose server does not answer is told what the server waits for")
def client(directory):
    command = [PYTHON, "-c", SILENT, *compiled(directory)]
    _, findings, result = traced(directory, command, 4)
    looked, other = untraced(directory, command, hanging(2), "no-answer", of_client, client_of)
    for found, run in ((findings, result), (looked, other)):
        told = severe(found)
        expect_equal([f["id"] for f in told], ["no-answer"], f"told once: {found}")
        names = named_parties(run)
        expect_in(f"java[{names['java']}] sent 1 B to ", told[0]["text"], "who waits")
        expect_in(f"python3[{names['server']}] waits in read(", told[0]["text"], "for whom")


@scenario("a server in Java, idle or busy, is not accused, nor are two monitors that nobody can tell from it")
def calm(directory):
    options = compiled(directory)
    for name in CALM:
        place = os.path.join(directory, name)
        os.mkdir(place)
        command = ["java", *options, name]
        expect_equal(severe(traced(place, command, 4)[1]), [], name)
        looked, _ = untraced(place, command, named_parties, "blocked")
        expect_equal(severe(looked), [], f"{name} by -p")


if __name__ == "__main__":
    main()
