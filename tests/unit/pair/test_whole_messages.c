// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Whole messages: datagrams, queues, and the counters that resemble them. */
#include "tests/unit/trace_text.h"

#include <stdio.h>

#define DGRAM_SOCKETS                                                                              \
	CHANNEL("unix:[1]", "unix-dgram", ""),                                                     \
		CHANNEL("unix:[2]", "unix-dgram", ",'name':'/tmp/s'"),                             \
		CHANNEL("unix:[3]", "unix-dgram", "")
#define UDP_SOCKETS                                                                                \
	CHANNEL("udp:[1]", "udp", ",'local_address':'0.0.0.0:4000','network':1"),                  \
		CHANNEL("udp:[2]", "udp", ",'local_address':'0.0.0.0:53','network':1")

/* A queue's calls of 1 ns; the sends of mq_timedsend(2) return 0. */
/* clang-format off */
#define MQ_SENDS(id, at, bytes, more)                                                              \
	{id, "mq_timedsend", "send", 10, 0, 3, "posix-mq:[9]", at, (at) + 1, 0,                    \
	 ",'requested':" #bytes more}
#define MQ_GETS(id, at, bytes, more)                                                               \
	{id, "mq_timedreceive", "receive", 20, 0, 4, "posix-mq:[9]", at, (at) + 1, bytes, more}
#define SYSV(id, send, pid, at, returned, more)                                                    \
	{id, (send) ? "msgsnd" : "msgrcv", (send) ? "send" : "receive", pid, 0, -1,                \
	 "sysv-msg:[3]", at, (at) + 1, returned, more}
/* clang-format on */

static const struct shape shapes[] = {
	{.name = "dgram_of_no_bytes",
	 .lines = {DGRAM_SOCKETS},
	 .calls = {SENDS(1, 10, "unix:[1]", 10, 0, ",'to':'unix:[2]'"),
		   RECEIVES(2, 20, "unix:[2]", 14, 0, "")},
	 .messages = "unix-dgram 10>20 0 s1+0 r2+0 exact\n"},
	/* fs/read_write.c: an empty vector never reaches the socket. */
	{.name = "dgram_of_nothing",
	 .lines = {DGRAM_SOCKETS},
	 .calls = {{1, "writev", "send", 10, 0, 5, "unix:[1]", 10, 11, 0, ",'to':'unix:[2]'"},
		   SENDS(2, 10, "unix:[1]", 12, 0, ",'to':'unix:[2]'"),
		   RECEIVES(3, 20, "unix:[2]", 14, 0, "")},
	 .messages = "unix-dgram 10>20 0 s2+0 r3+0 exact\n"},
	/* The receives name the sending sockets, so it does not matter that the sends overlap. */
	{.name = "dgram_from_named_senders",
	 .lines = {DGRAM_SOCKETS},
	 .calls = {SENDS(1, 10, "unix:[1]", 10, 5, ",'to':'unix:[2]'"),
		   SENDS(2, 30, "unix:[3]", 10, 5, ",'to':'unix:[2]'"),
		   RECEIVES(3, 20, "unix:[2]", 14, 5, ",'from':'unix:[3]'"),
		   RECEIVES(4, 20, "unix:[2]", 16, 5, ",'from':'unix:[1]'")},
	 .messages = "unix-dgram 30>20 5 s2+0 r3+0 exact\n"
		     "unix-dgram 10>20 5 s1+0 r4+0 exact\n"},
	{.name = "dgram_from_somebody",
	 .lines = {DGRAM_SOCKETS},
	 .calls = {SENDS(1, 10, "unix:[1]", 10, 5, ",'to':'unix:[2]'"),
		   SENDS(2, 30, "unix:[3]", 10, 5, ",'to':'unix:[2]'"),
		   RECEIVES(3, 20, "unix:[2]", 14, 5, ""), RECEIVES(4, 20, "unix:[2]", 16, 5, "")},
	 .messages = "unix-dgram 10>20 5 s1+0 r3+0 ambiguous\n"
		     "unix-dgram 30>20 5 s2+0 r4+0 ambiguous\n"},
	/* The kernel keeps datagrams whole: a larger one than sent is another one. */
	{.name = "dgram_larger_than_sent",
	 .lines = {DGRAM_SOCKETS},
	 .calls = {SENDS(1, 10, "unix:[1]", 10, 5, ",'to':'unix:[2]'"),
		   RECEIVES(2, 20, "unix:[2]", 14, 8, "")},
	 .messages = "unix-dgram 10>20 8 s1+0 r2+0 ambiguous\n"},
	/* The trace lacks a length: that message is not empty, and its pair is ambiguous. */
	{.name = "many_of_unknown_length",
	 .lines = {DGRAM_SOCKETS},
	 .calls = {{1, "sendmmsg", "send", 10, 0, 5, "unix:[1]", 10, 11, 2,
		    ",'to':'unix:[2]','lengths':[3],'lengths_cut':true"},
		   RECEIVES(2, 20, "unix:[2]", 14, 3, ""),
		   RECEIVES(3, 20, "unix:[2]", 16, 4, "")},
	 .messages = "unix-dgram 10>20 3 s1+0 r2+0 exact\n"
		     "unix-dgram 10>20 4 s1+3 r3+0 ambiguous\n"},
	{.name = "many_to_several",
	 .lines = {DGRAM_SOCKETS, CHANNEL("unix:[3]", "unix-dgram", ",'name':'/tmp/t'")},
	 .calls = {{1, "sendmmsg", "send", 10, 0, 5, "unix:[1]", 10, 11, 3,
		    ",'to':'unix:[2]','lengths':[3,5,4],"
		    "'addresses':['/tmp/s','/tmp/t','/tmp/s']"},
		   RECEIVES(2, 30, "unix:[3]", 14, 5, ""),
		   RECEIVES(3, 20, "unix:[2]", 16, 3, ""),
		   RECEIVES(4, 20, "unix:[2]", 18, 4, "")},
	 .messages = "unix-dgram 10>30 5 s1+3 r2+0 exact\n"
		     "unix-dgram 10>20 3 s1+0 r3+0 exact\n"
		     "unix-dgram 10>20 4 s1+8 r4+0 exact\n"},
	/* A connected socket at the same address takes what comes from its peer. */
	{.name = "udp_connected_at_shared_address",
	 .lines = {CHANNEL("udp:[1]", "udp", ",'local_address':'127.0.0.1:4000','network':1"),
		   CHANNEL("udp:[2]", "udp",
			   ",'local_address':'127.0.0.1:53','peer_address':'127.0.0.1:4000','"
			   "network':1"),
		   CHANNEL("udp:[3]", "udp", ",'local_address':'127.0.0.1:53','network':1")},
	 .calls = {SENDS(1, 10, "udp:[1]", 10, 5, ",'peer_address':'127.0.0.1:53'"),
		   RECEIVES(2, 30, "udp:[2]", 14, 5, ",'peer_address':'127.0.0.1:4000'")},
	 .messages = "udp 10>30 5 s1+0 r2+0 exact\n"},
	{.name = "udp_by_address",
	 .lines = {UDP_SOCKETS},
	 .calls = {SENDS(1, 10, "udp:[1]", 10, 5, ",'peer_address':'127.0.0.1:53'"),
		   RECEIVES(2, 20, "udp:[2]", 12, 5, ",'peer_address':'127.0.0.1:4000'"),
		   SENDS(3, 20, "udp:[2]", 14, 6, ",'peer_address':'127.0.0.1:4000'"),
		   RECEIVES(4, 10, "udp:[1]", 16, 6, ",'peer_address':'127.0.0.1:53'")},
	 .messages = "udp 10>20 5 s1+0 r2+0 exact\n"
		     "udp 20>10 6 s3+0 r4+0 exact\n"},
	{.name = "udp_outside",
	 .lines = {UDP_SOCKETS},
	 .calls = {SENDS(1, 10, "udp:[1]", 10, 5, ",'peer_address':'192.0.2.1:53'"),
		   SENDS(2, 10, "udp:[1]", 12, 5, ",'peer_address':'127.0.0.1:54'"),
		   RECEIVES(3, 10, "udp:[1]", 14, 7, ",'peer_address':'192.0.2.1:55'")},
	 .messages = "udp ->10 7 - r3+0 exact\n"
		     "udp 10>- 5 s1+0 - exact\n"
		     "udp 10>- 5 s2+0 - exact\n"},
	/* The same address in another network namespace is another socket. */
	{.name = "udp_elsewhere",
	 .lines = {UDP_SOCKETS,
		   CHANNEL("udp:[3]", "udp", ",'local_address':'127.0.0.1:53','network':2")},
	 .calls = {SENDS(1, 10, "udp:[1]", 10, 5, ",'peer_address':'127.0.0.1:53'"),
		   RECEIVES(2, 20, "udp:[2]", 12, 5, "")},
	 .messages = "udp 10>20 5 s1+0 r2+0 exact\n"},
	/* Fewer came than went, and the kernel says which were queued. */
	{.name = "udp_dropped",
	 .lines = {UDP_SOCKETS},
	 .calls = {SENDS(1, 10, "udp:[1]", 10, 5, ",'to':'udp:[2]'"),
		   SENDS(2, 10, "udp:[1]", 12, 6, ",'peer_address':'127.0.0.1:53'"),
		   SENDS(3, 10, "udp:[1]", 14, 7, ",'to':'udp:[2]'"),
		   RECEIVES(4, 20, "udp:[2]", 16, 5, ""), RECEIVES(5, 20, "udp:[2]", 18, 7, "")},
	 .messages = "udp 10>20 5 s1+0 r4+0 exact\n"
		     "udp 10>20 7 s3+0 r5+0 exact\n"
		     "udp 10>- 6 s2+0 - exact dropped\n"},
	/* The same on a kernel that does not say it: any of them may be the one. */
	{.name = "udp_dropped_who_knows",
	 .lines = {UDP_SOCKETS},
	 .calls = {SENDS(1, 10, "udp:[1]", 10, 5, ",'peer_address':'127.0.0.1:53'"),
		   SENDS(2, 10, "udp:[1]", 12, 5, ",'peer_address':'127.0.0.1:53'"),
		   RECEIVES(3, 20, "udp:[2]", 16, 5, "")},
	 .messages = "udp 10>20 5 s1+0 r3+0 ambiguous\n"
		     "udp 10>- 5 s2+0 - ambiguous unread\n"},
	/* mq_receive with NULL for the priority: with one priority there is nothing to choose. */
	{.name = "mq_priority_not_asked",
	 .lines = {CHANNEL("posix-mq:[9]", "posix-mq", "")},
	 .calls = {MQ_SENDS(1, 10, 5, ",'priority':3"), MQ_GETS(2, 12, 5, ""),
		   MQ_SENDS(3, 14, 5, ",'priority':4"), MQ_GETS(4, 16, 5, "")},
	 .messages = "posix-mq 10>20 5 s1+0 r2+0 exact\n"
		     "posix-mq 10>20 5 s3+0 r4+0 exact\n"},
	/* Of two buffers that it freed one was no message: it is not said which send is unread. */
	{.name = "mq_names_two",
	 .lines = {CHANNEL("posix-mq:[9]", "posix-mq", "")},
	 .calls = {MQ_SENDS(1, 10, 0, ",'priority':3,'followed':true"),
		   MQ_GETS(2, 12, 0, ",'priority':3,'chunks':[{'operation':1}]"),
		   MQ_SENDS(3, 14, 5, ",'priority':4,'followed':true"),
		   MQ_GETS(4, 16, 5, ",'priority':4,'chunks':[{'operation':1},{'operation':3}]")},
	 .messages = "posix-mq 10>20 0 s1+0 r2+0 exact\n"
		     "posix-mq ->20 5 - r4+0 ambiguous\n"
		     "posix-mq 10>- 5 s3+0 - ambiguous unread\n"},
	{.name = "mq_highest_first",
	 .lines = {CHANNEL("posix-mq:[9]", "posix-mq", "")},
	 .calls = {MQ_SENDS(1, 10, 5, ",'priority':3"), MQ_SENDS(2, 12, 5, ",'priority':4"),
		   MQ_GETS(3, 16, 5, "")},
	 .messages = "posix-mq 10>20 5 s2+0 r3+0 ambiguous\n"
		     "posix-mq 10>- 5 s1+0 - ambiguous unread\n"},
	/* Two of one priority came out: only the second can be the one that was seen to go in. */
	{.name = "mq_before_it_was_sent",
	 .lines = {CHANNEL("posix-mq:[9]", "posix-mq", "")},
	 .calls = {MQ_GETS(1, 10, 5, ",'priority':3"), MQ_SENDS(2, 12, 5, ",'priority':3"),
		   MQ_GETS(3, 14, 5, ",'priority':3"), MQ_SENDS(4, 16, 6, ",'priority':3")},
	 .messages = "posix-mq ->20 5 - r1+0 ambiguous\n"
		     "posix-mq 10>20 5 s2+0 r3+0 ambiguous\n"
		     "posix-mq 10>- 6 s4+0 - ambiguous unread\n"},
	{.name = "sysv_removed",
	 .lines = {CHANNEL("sysv-msg:[3]", "sysv-msg", ",'key':'0x0000002a'")},
	 .calls = {SYSV(1, true, 10, 10, 0, ",'requested':5,'message_type':1"),
		   {2, "msgctl", "control", 20, 0, -1, "sysv-msg:[3]", 12, 13, 0,
		    ",'args':{'msqid':3,'cmd':0}"}},
	 .messages = "sysv-msg 10>- 5 s1+0 - exact discarded\n"},
	{.name = "sysv_by_type",
	 .lines = {CHANNEL("sysv-msg:[3]", "sysv-msg", ",'key':'0x0000002a'")},
	 .calls = {SYSV(1, true, 10, 10, 0, ",'requested':5,'message_type':1"),
		   SYSV(2, true, 10, 12, 0, ",'transferred':6,'message_type':2"),
		   SYSV(3, false, 30, 14, 6, ",'message_type':2,'flags':0"),
		   SYSV(4, false, 20, 16, 5, ",'message_type':1,'flags':16384"),
		   SYSV(5, false, 20, 18, 5, ",'message_type':1,'flags':0")},
	 .messages = "sysv-msg 10>30 6 s2+0 r3+0 exact\n"
		     "sysv-msg 10>20 5 s1+0 r5+0 exact\n"},
	/* A receive of what lay there says so; one that names no followed send is from outside. */
	{.name = "sysv_from_before",
	 .lines = {CHANNEL("sysv-msg:[3]", "sysv-msg", ",'key':'0x0000002a','stock':1")},
	 .calls = {SYSV(1, true, 10, 10, 0, ",'requested':5,'message_type':1,'followed':true"),
		   SYSV(2, false, 20, 12, 5,
			",'message_type':1,'chunks':[{'operation':0,'before':true}]"),
		   SYSV(3, false, 30, 14, 5, ",'message_type':1"),
		   SYSV(4, true, 10, 16, 0, ",'requested':5,'message_type':1,'followed':true"),
		   SYSV(5, false, 20, 18, 5, ",'message_type':1,'chunks':[{'operation':4}]")},
	 .messages = "sysv-msg ->20 5 - r2+0 exact\n"
		     "sysv-msg ->30 5 - r3+0 exact\n"
		     "sysv-msg 10>20 5 s4+0 r5+0 exact\n"
		     "sysv-msg 10>- 5 s1+0 - ambiguous unread\n"},
	/* An address that is used again names a send that cannot be it. */
	{.name = "sysv_name_of_another_type",
	 .lines = {CHANNEL("sysv-msg:[3]", "sysv-msg", ",'key':'0x0000002a','stock':0")},
	 .calls = {SYSV(1, true, 10, 10, 0, ",'requested':5,'message_type':1,'followed':true"),
		   SYSV(2, false, 20, 12, 5, ",'message_type':2,'chunks':[{'operation':1}]")},
	 .messages = "sysv-msg ->20 5 - r2+0 ambiguous\n"
		     "sysv-msg 10>- 5 s1+0 - ambiguous unread\n"},
	/* It was found asleep, its priority unknown: its receiver names it all the same. */
	{.name = "mq_found_asleep",
	 .lines = {CHANNEL("posix-mq:[9]", "posix-mq", ",'stock':1")},
	 .calls = {MQ_SENDS(1, 10, 5, ",'entered_before':true,'followed':true"),
		   MQ_GETS(2, 12, 5, ",'priority':2,'chunks':[{'operation':0,'before':true}]"),
		   MQ_GETS(3, 14, 5, ",'priority':7,'chunks':[{'operation':1}]")},
	 .messages = "posix-mq ->20 5 - r2+0 exact\n"
		     "posix-mq 10>20 5 s1+0 r3+0 exact\n"},
	/* Two workers wait for one type; one message at a time, so each has its own. */
	{.name = "workers_wait_in_turn",
	 .lines = {CHANNEL("sysv-msg:[3]", "sysv-msg", "")},
	 .calls = {{1, "msgrcv", "receive", 20, 0, -1, "sysv-msg:[3]", 2, 12, 5,
		    ",'message_type':1"},
		   {2, "msgrcv", "receive", 30, 0, -1, "sysv-msg:[3]", 3, 22, 5,
		    ",'message_type':1"},
		   SYSV(3, true, 10, 10, 0, ",'requested':5,'message_type':1"),
		   SYSV(4, true, 10, 20, 0, ",'requested':5,'message_type':1")},
	 .messages = "sysv-msg 10>20 5 s3+0 r1+0 exact\n"
		     "sysv-msg 10>30 5 s4+0 r2+0 exact\n"},
};

/* --- what the messages do not show --- */

static void two_dgram_sockets(struct trace_text *t)
{
	static const char *const lines[] = {DGRAM_SOCKETS};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		trace_line(t, "%s", lines[i]);
}

static void dgram_by_name(void **state)
{
	struct trace_text *t = *state;

	two_dgram_sockets(t);
	trace_socket(t, 1, true, 10, "unix:[1]", 10, 5, ",'peer_address':'/tmp/s'");
	trace_socket(t, 2, true, 10, "unix:[1]", 12, 6, ",'peer_address':'/tmp/s'");
	trace_socket(t, 3, false, 20, "unix:[2]", 14, 5, "");
	trace_socket(t, 4, false, 20, "unix:[2]", 16, 6, "");
	assert_string_equal(trace_messages(t), "unix-dgram 10>20 5 s1+0 r3+0 exact\n"
					       "unix-dgram 10>20 6 s2+0 r4+0 exact\n");
	assert_string_equal(t->pairing->messages[0]->channel->id.data, "unix:[2]");
}

static void dgram_cut(void **state)
{
	struct trace_text *t = *state;

	two_dgram_sockets(t);
	trace_socket(t, 1, true, 10, "unix:[1]", 10, 50, ",'to':'unix:[2]'");
	trace_socket(t, 2, false, 20, "unix:[2]", 14, 50, ",'flags':32,'transferred':8");
	assert_string_equal(trace_messages(t), "unix-dgram 10>20 8 s1+0 r2+0 exact truncated\n");
	assert_int_equal(t->pairing->messages[0]->cut, 42);
}

static void many_at_once(void **state)
{
	struct trace_text *t = *state;

	two_dgram_sockets(t);
	trace_call(t, (struct call){1, "sendmmsg", "send", 10, 0, 5, "unix:[1]", 10, 11, 3,
				    ",'to':'unix:[2]','lengths':[3,0,4],'transferred':7"});
	trace_call(t, (struct call){2, "recvmmsg", "receive", 20, 0, 6, "unix:[2]", 12, 13, 2,
				    ",'lengths':[3,0]"});
	trace_socket(t, 3, false, 20, "unix:[2]", 14, 4, "");
	assert_string_equal(trace_messages(t), "unix-dgram 10>20 3 s1+0 r2+0 exact\n"
					       "unix-dgram 10>20 0 s1+3 r2+3 exact\n"
					       "unix-dgram 10>20 4 s1+3 r3+0 exact\n");
	assert_int_equal(t->pairing->messages[2]->from.message, 2);
}

static void seqpacket_end(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "unix:[1]", "unix-seqpacket", ",'peer':'unix:[2]'");
	trace_channel(t, "unix:[2]", "unix-seqpacket", "");
	trace_socket(t, 1, true, 10, "unix:[1]", 10, 4, "");
	trace_socket(t, 2, true, 10, "unix:[1]", 12, 0, "");
	trace_socket(t, 3, false, 20, "unix:[2]", 14, 4, "");
	trace_socket(t, 4, false, 20, "unix:[2]", 16, 0, "");
	trace_socket(t, 5, false, 20, "unix:[2]", 18, 0, "");
	assert_string_equal(trace_messages(t), "unix-seqpacket 10>20 4 s1+0 r3+0 exact\n"
					       "unix-seqpacket 10>20 0 s2+0 r4+0 exact\n");
	assert_int_equal(t->pairing->eof_count, 1);
	assert_int_equal(t->pairing->eofs[0]->receive->id, 5);
}

/*
 * Of two receivers, the one that took the empty packet returns last: the other one has returned
 * with the packet behind it, or with the end of the connection.
 */
static void seqpacket_empty_of_two_receivers(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "unix:[1]", "unix-seqpacket", ",'peer':'unix:[2]'");
	trace_channel(t, "unix:[2]", "unix-seqpacket", "");
	trace_socket(t, 1, true, 10, "unix:[1]", 10, 0, "");
	trace_socket(t, 2, true, 10, "unix:[1]", 12, 4, "");
	trace_socket(t, 3, false, 30, "unix:[2]", 14, 4, ",'chunks':[{'operation':2}]");
	trace_socket(t, 4, false, 30, "unix:[2]", 16, 0, "");
	trace_socket(t, 5, false, 20, "unix:[2]", 18, 0, ",'chunks':[{'operation':1}]");
	assert_string_equal(trace_messages(t), "unix-seqpacket 10>30 4 s2+0 r3+0 exact\n"
					       "unix-seqpacket 10>20 0 s1+0 r5+0 exact\n");
	assert_int_equal(t->pairing->eof_count, 1);
	assert_int_equal(t->pairing->eofs[0]->receive->id, 4);
}

/* Of the messages of a recvmmsg some name no send; its last two are the end of the connection. */
static void seqpacket_names_some_of_several(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "unix:[1]", "unix-seqpacket", ",'peer':'unix:[2]'");
	trace_channel(t, "unix:[2]", "unix-seqpacket", "");
	trace_socket(t, 1, true, 10, "unix:[1]", 10, 4, "");
	trace_socket(t, 2, true, 10, "unix:[1]", 12, 4, "");
	trace_call(t, (struct call){3, "recvmmsg", "receive", 20, 0, 5, "unix:[2]", 14, 16, 4,
				    ",'lengths':[4,4,0,0],'chunks':[{'operation':0,'bytes':4},"
				    "{'operation':1,'bytes':4}]"});
	trace_call(t, (struct call){4, "recvmmsg", "receive", 20, 0, 5, "unix:[2]", 18, 20, 2,
				    ",'lengths':[4,0],'chunks':[{'operation':2,'bytes':4}]"});
	assert_string_equal(trace_messages(t), "unix-seqpacket ->20 4 - r3+0 ambiguous\n"
					       "unix-seqpacket 10>20 4 s1+0 r3+4 exact\n"
					       "unix-seqpacket 10>20 4 s2+0 r4+0 exact\n");
}

/* SO_REUSEPORT on a kernel that does not say which socket it chose. */
static void udp_shared_address(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "udp:[1]", "udp", ",'local_address':'127.0.0.1:4000','network':1");
	trace_channel(t, "udp:[2]", "udp", ",'local_address':'127.0.0.1:53','network':1");
	trace_channel(t, "udp:[3]", "udp", ",'local_address':'127.0.0.1:53','network':1");
	trace_socket(t, 1, true, 10, "udp:[1]", 10, 5, ",'peer_address':'127.0.0.1:53'");
	trace_socket(t, 2, false, 30, "udp:[3]", 14, 5, ",'peer_address':'127.0.0.1:4000'");
	trace_pair(t);
	for (size_t i = 0; i < t->pairing->message_count; i++)
		assert_int_equal(t->pairing->messages[i]->match, MATCH_AMBIGUOUS);
}

static void mq_priorities(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "posix-mq:[9]", "posix-mq", ",'name':'/q'");
	trace_call(t, (struct call)MQ_SENDS(1, 10, 5, ",'priority':1"));
	trace_call(t, (struct call)MQ_SENDS(2, 12, 6, ",'priority':9"));
	trace_call(t, (struct call)MQ_SENDS(3, 14, 7, ",'priority':1"));
	trace_call(t, (struct call)MQ_GETS(4, 16, 6, ",'priority':9"));
	trace_call(t, (struct call)MQ_GETS(5, 18, 5, ",'priority':1"));
	assert_string_equal(trace_messages(t), "posix-mq 10>20 6 s2+0 r4+0 exact\n"
					       "posix-mq 10>20 5 s1+0 r5+0 exact\n"
					       "posix-mq 10>- 7 s3+0 - exact unread\n");
	assert_int_equal(t->pairing->messages[0]->type, 9);
}

static void event(struct trace_text *t, unsigned id, bool send, uint32_t pid, uint64_t at,
		  unsigned value)
{
	char payload[64];

	/* Eight little-endian bytes: 1, 128 or 256, in base64. */
	snprintf(payload, sizeof(payload), ",'payload':{'base64':'%s'}",
		 value == 1	? "AQAAAAAAAAA="
		 : value == 128 ? "gAAAAAAAAAA="
				: "AAEAAAAAAAA=");
	trace_call(t, (struct call){id, send ? "write" : "read", send ? "send" : "receive", pid, 0,
				    3, "eventfd:[7]", at, at + 1, 8, payload});
}

/* Types beyond what a double holds: two that it would round to the same one are not the same. */
static void sysv_huge_types(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "sysv-msg:[3]", "sysv-msg", "");
	trace_call(t, (struct call)SYSV(1, true, 10, 10, 0,
					",'requested':5,'message_type':9223372036854775806"));
	trace_call(t,
		   (struct call)SYSV(2, false, 20, 12, 5, ",'message_type':9223372036854775807"));
	trace_pair(t);
	assert_int_equal(t->pairing->message_count, 2);
}

/* A type that another reader may have rounded proves nothing. */
static void sysv_huge_type_twice(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "sysv-msg:[3]", "sysv-msg", "");
	trace_call(t, (struct call)SYSV(1, true, 10, 10, 0,
					",'requested':5,'message_type':9223372036854775807"));
	trace_call(t,
		   (struct call)SYSV(2, false, 20, 12, 5, ",'message_type':9223372036854775807"));
	trace_pair(t);
	assert_int_equal(t->pairing->message_count, 1);
	assert_int_equal(t->pairing->ambiguous, 1);
}

static void eventfd_sum(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "eventfd:[7]", "eventfd", "");
	event(t, 1, true, 10, 10, 128);
	event(t, 2, true, 30, 12, 128);
	event(t, 3, false, 20, 14, 256);
	event(t, 4, true, 10, 16, 1);
	event(t, 5, false, 20, 18, 1);
	event(t, 6, true, 10, 20, 1);
	assert_string_equal(trace_messages(t), "eventfd 10>20 8 s1+0 r3+0 exact\n"
					       "eventfd 30>20 8 s2+0 r3+0 exact\n"
					       "eventfd 10>20 8 s4+0 r5+0 exact\n"
					       "eventfd 10>- 8 s6+0 - exact unread\n");
}

#define TEST(function)                                                                             \
	cmocka_unit_test_setup_teardown(function, trace_three_set_up, trace_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		TEST(dgram_by_name),
		TEST(dgram_cut),
		TEST(many_at_once),
		TEST(udp_shared_address),
		TEST(seqpacket_end),
		TEST(seqpacket_empty_of_two_receivers),
		TEST(seqpacket_names_some_of_several),
		TEST(mq_priorities),
		TEST(sysv_huge_types),
		TEST(sysv_huge_type_twice),
		TEST(eventfd_sum),
		/* clang-format on */
	};

	return trace_shapes_run(shapes, sizeof(shapes) / sizeof(shapes[0]), trace_three_set_up) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
