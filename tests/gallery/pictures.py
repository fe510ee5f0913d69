# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The pictures of docs/gallery.md: what is traced, and how it is drawn."""
from collections import namedtuple

# `shell` runs in a folder with three files; {labs} is where the labs are. `views`: options of view.
Picture = namedtuple("Picture", "name title shell views", defaults=[("",)])

FIGURES = [
    Picture("connect", "A pipeline: `connect ls wc`", "{labs}/connect ls wc", ("", "--kernel")),
    Picture("queue", "A message queue, M:N, typed", "{labs}/sysvq", ("", "--lanes channels")),
    Picture("httpecho", "An HTTP echo on port 6789",
            "{labs}/httpecho 6789 2 >log & curl --silent --retry 9 --retry-connrefused "
            "--retry-delay 1 --output /dev/null http://127.0.0.1:6789/a; "
            "curl --silent --output /dev/null http://127.0.0.1:6789/b; wait"),
    Picture("sigedges", "Signals meet who is RUNNING, READY or BLOCKED", "{labs}/sigedges",
            ("--max 60",)),
    Picture("sigmeets", "Signals meet calls: restart, EINTR, stopped", "{labs}/sigmeets"),
    Picture("copies", "Request and response: 4 crossings, 4 copies", "{labs}/reqresp pipe 1",
            ("--kernel",)),
]

LABS = [
    Picture("bigwrite", "A write larger than its pipe", "{labs}/bigwrite"),
    Picture("dupfork", "Ends passed on by dup and fork", "{labs}/dupfork"),
    Picture("fifo", "A named pipe", "{labs}/fifo"),
    Picture("packets", "A pipe that keeps borders", "{labs}/packets"),
    Picture("vio", "Vectors and passed descriptors", "{labs}/vio"),
    Picture("relay", "splice, tee, vmsplice, sendfile", "{labs}/relay", ("--max 40 --kernel",)),
    Picture("pingpong", "Ping-pong: what repeats is a loop", "{labs}/reqresp pipe 25"),
    Picture("threads", "Two threads", "{labs}/threads", ("--threads",)),
    Picture("crew", "Threads that pass a job on", "{labs}/crew", ("--threads",)),
    Picture("posixq", "A POSIX queue with priorities", "{labs}/posixq"),
    Picture("unixstream", "Unix stream sockets", "{labs}/unixstream"),
    Picture("unixdgram", "Unix datagrams", "{labs}/unixdgram"),
    Picture("seqpacket", "Sequenced packets", "{labs}/seqpacket"),
    Picture("messages", "Credentials and flags", "{labs}/messages"),
    Picture("tcp6", "TCP over IPv6", "{labs}/tcp6"),
    Picture("urgent", "Urgent data", "{labs}/urgent tcp"),
    Picture("udp", "Datagrams", "{labs}/udp"),
    Picture("machines", "Two machines (network namespaces)",
            "for i in 1 2; do ip netns add m$i; done; "
            "ip link add wire netns m1 type veth peer name wire netns m2; "
            "for i in 1 2; do ip -n m$i addr add 10.77.0.$i/24 dev wire; "
            "ip -n m$i link set wire up; done; {labs}/machines m1 m2 10.77.0.2; "
            "for i in 1 2; do ip netns del m$i; done", ("--comm machines",)),
    Picture("manysenders", "Three senders on one socket", "{labs}/manysenders dgram 3"),
    Picture("udpdrop", "Datagrams without room", "{labs}/udpdrop"),
    Picture("mmsg", "Many datagrams a call", "{labs}/mmsg udp", ("--max 30",)),
    Picture("waitall", "MSG_WAITALL and MSG_ZEROCOPY", "{labs}/waitall"),
    Picture("reuseport", "Two receivers at one address", "{labs}/reuseport", ("--max 40",)),
    Picture("netlinks", "Netlink", "{labs}/netlinks user"),
    Picture("signals", "Signals to every kind of target", "{labs}/signals", ("--max 40",)),
    Picture("pidfdsignal", "A signal through a pidfd", "{labs}/pidfdsignal"),
    Picture("eintr", "A read that a signal ends", "{labs}/eintr"),
    Picture("restart", "A read that goes on (SA_RESTART)", "{labs}/eintr restart"),
    Picture("telling", "What signals meet, locks, children", "{labs}/telling a.txt"),
    Picture("exitcodes", "An exit status", "{labs}/exitcodes 3"),
    Picture("eventfd", "An eventfd", "{labs}/eventfd"),
    Picture("eventfds", "signalfd, timerfd, inotify, pidfd", "{labs}/eventfds ."),
    Picture("polls", "poll, select, epoll", "{labs}/polls", ("--max 40",)),
    Picture("shmem", "Shared memory", "{labs}/shmem"),
    Picture("sysvshm", "A segment and two semaphores", "{labs}/sysvshm"),
    Picture("mapped", "What is mapped, and a signal", "{labs}/mapped shared & sleep 0.3; "
            "kill -USR1 $!; wait"),
    Picture("vmcopy", "process_vm_readv", "{labs}/vmcopy"),
    Picture("records", "Records torn apart by their reader", "{labs}/records 48 64"),
    Picture("ptys", "A pseudo-terminal", "{labs}/ptys"),
    Picture("unlink", "Names that are taken away", "{labs}/unlink names"),
    Picture("unseen", "What is not seen is told", "{labs}/unseen io-uring"),
    Picture("compat", "32-bit calls, which are not decoded", "{labs}/compat"),
    Picture("options", "Options of sockets and queues", "{labs}/options"),
    Picture("peeks", "A look before the receipt", "{labs}/peeks unix-stream"),
    Picture("patience", "Sockets with a limit to their waits", "{labs}/patience",
            ("--max 40",)),
    Picture("seldom", "System calls that are seldom made", "{labs}/seldom", ("--max 40",)),
    Picture("coldpage", "Pages that are not in memory", "{labs}/coldpage"),
    Picture("reuse", "Numbers that are used again", "{labs}/reuse pipe 2"),
    Picture("tables", "Tables of descriptors", "{labs}/tables exec"),
    Picture("waits", "A wait that a signal ends", "{labs}/waits read"),
    Picture("hostile", "Hostile names and contents", "{labs}/hostile"),
    Picture("deadlock", "A deadlock", "{labs}/deadlock"),
    Picture("ring", "A circle of three", "{labs}/hangs ring-three"),
    Picture("locks", "Two file locks, taken in two orders", "{labs}/stalls file-locks"),
    Picture("lockorders", "Two semaphores, taken in two orders", "{labs}/lockorders crossed-sems"),
    Picture("threadlocks", "Threads that wait for each other's locks", "{labs}/threadlocks two",
            ("--threads",)),
    Picture("sharers", "A child computes beside its parent",
            "{labs}/sharers parent-and-child"),
    Picture("futexes", "Turns that a futex of one process hands over", "{labs}/futexes private"),
    Picture("backlog", "A full backlog", "{labs}/stalls full-backlog"),
    Picture("noeof", "An end that cannot come", "{labs}/endless parent-keeps"),
    Picture("doubled", "A line that fork() doubles", "{labs}/doubled | cat; true"),
    Picture("sigpipe", "A broken pipe", "{labs}/mistakes sigpipe"),
    Picture("refused", "A connection refused", "{labs}/socketmistakes refused"),
    Picture("timeouts", "Waits no longer than told", "{labs}/timeouts", ("--max 40",)),
    Picture("mmcreds", "Credentials beside many messages", "{labs}/mmcreds"),
    Picture("flood", "A flood", "{labs}/flood 60 64", ("", "--unfold --max 12")),
]
