// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Processes that were joined while messages of before lay in what they share. */
#include "tests/unit/trace_text.h"

#define STOOD(when, head, tail, end, start, bytes)                                                 \
	",'" when "':{'head':" #head ",'tail':" #tail ",'end':" #end ",'start':" #start            \
	",'bytes':" #bytes "}"

#define FOUND_DATAGRAM                                                                             \
	"{'type':'channel','id':'unix-dgram:[1]','at_ns':1,'mechanism':'unix-dgram'}",             \
		"{'type':'channel','id':'unix-dgram:[2]','at_ns':8,'mechanism':'unix-dgram',"      \
		"'stock':1}"
/* A sendmmsg of three was under way, and its first message lay in the queue behind another one. */
#define FOUND_UNDER_WAY                                                                            \
	"{'type':'descriptors','event':'snapshot','at_ns':1,'pid':10,"                             \
	"'fds':[{'fd':5,'channel':'unix-dgram:[1]','access':'both'}]}",                            \
		"{'type':'channel','id':'unix-dgram:[1]','at_ns':1,'mechanism':'unix-dgram'}",     \
		"{'type':'channel','id':'unix-dgram:[2]','at_ns':8,'mechanism':'unix-dgram',"      \
		"'stock':2}"
#define UNDER_WAY                                                                                  \
	{                                                                                          \
		1102, "sendmmsg", "send", 10, 0, 5, "unix-dgram:[1]", 4, 30, 3,                    \
			",'entered_before':true,'resumed_ns':25,'to':'unix-dgram:[2]','lengths':[" \
			"4,5,6],"                                                                  \
			"'delivered':[0,1]"                                                        \
	}
#define NAMES(message, bytes)                                                                      \
	",'chunks':[{'operation':1102,'message':" #message ",'offset':0,'bytes':" #bytes "}]"
#define FROM(socket) ",'from':'unix-dgram:[" #socket "]'"
#define FOUND_PIPE "{'type':'channel','id':'" TRACE_PIPE "','at_ns':1,'mechanism':'pipe'}"

/* A pseudo-terminal without conversions, in each end of which some bytes lay at 8. */
#define FOUND_TERMINAL(to_master, to_slave)                                                        \
	"{'type':'channel','id':'pty:[3]','at_ns':1,'mechanism':'pty','end':'slave',"              \
	"'peer':'pty:[3:master]'}",                                                                \
		"{'type':'channel','id':'pty:[3:master]','at_ns':1,'mechanism':'pty',"             \
		"'end':'master','peer':'pty:[3]'}",                                                \
		"{'type':'descriptors','event':'snapshot','at_ns':1,'pid':10,"                     \
		"'fds':[{'fd':3,'channel':'pty:[3:master]','access':'both'}]}",                    \
		"{'type':'descriptors','event':'snapshot','at_ns':1,'pid':20,"                     \
		"'fds':[{'fd':4,'channel':'pty:[3]','access':'both'}]}",                           \
		"{'type':'channel','id':'pty:[3:master]','at_ns':8,'mechanism':'pty',"             \
		"'stock':" #to_master "}",                                                         \
		"{'type':'channel','id':'pty:[3]','at_ns':8,'mechanism':'pty',"                    \
		"'stock':" #to_slave "}"
#define LINE(local)                                                                                \
	",'at_entry':{'input':0,'output':0,'local':" #local                                        \
	"},'at_exit':{'input':0,'output':0,'local':" #local "}"
#define RAW LINE(0)
#define CANONICAL LINE(10) /* ICANON, ECHO */
#define AT_MASTER(id, syscall, role, at, bytes, more)                                              \
	{                                                                                          \
		id, syscall, role, 10, 0, 3, "pty:[3:master]", at, at + 1, bytes, more             \
	}
#define AT_SLAVE(id, syscall, role, at, bytes, more)                                               \
	{                                                                                          \
		id, syscall, role, 20, 0, 4, "pty:[3]", at, at + 1, bytes, more                    \
	}

/* clang-format off */
static const struct shape shapes[] = {
	{
		/* What was written merged with what lay there, and one read took all of it. */
		.name = "read_with_what_lay_there",
		.lines = {FOUND_PIPE},
		.calls = {PUTS(1102, 10, 10, 15, 5, STOOD("at_entry", 1, 0, 20, 0, 20)
						    STOOD("at_exit", 1, 0, 25, 0, 25)),
			  GETS(1106, 20, 21, 26, 25, STOOD("at_entry", 1, 0, 25, 0, 25)
						     STOOD("at_exit", 1, 1, 25, 0, 0))},
		.messages = "pipe ->20 20 - r1106+0 ambiguous\n"
			    "pipe 10>20 5 s1102+0 r1106+20 exact\n",
	},
	{
		/* Buffers that do not follow each other: the kernel counts what lay there. */
		.name = "read_with_buffers_that_lay_there",
		.lines = {FOUND_PIPE},
		.calls = {PUTS(1102, 10, 10, 15, 5, STOOD("at_entry", 3, 0, 20, 0, 60)
						    STOOD("at_exit", 3, 0, 25, 0, 65)),
			  GETS(1106, 20, 21, 26, 65, STOOD("at_entry", 3, 0, 25, 0, 65)
						     STOOD("at_exit", 3, 3, 25, 0, 0))},
		.messages = "pipe ->20 60 - r1106+0 ambiguous\n"
			    "pipe 10>20 5 s1102+0 r1106+60 exact\n",
	},
	{
		/* The first one stops within the last buffer before what was written. */
		.name = "begin_in_what_lay_there",
		.lines = {FOUND_PIPE},
		.calls = {PUTS(1102, 10, 10, 15, 4096, STOOD("at_entry", 2, 0, 20, 0, 40)
						       STOOD("at_exit", 3, 0, 4096, 0, 4136)),
			  GETS(1106, 20, 21, 26, 30, STOOD("at_entry", 3, 0, 4096, 0, 4136)
						     STOOD("at_exit", 3, 1, 4096, 10, 4106)),
			  GETS(1108, 20, 31, 36, 4106, STOOD("at_entry", 3, 1, 4096, 10, 4106)
						       STOOD("at_exit", 3, 3, 4096, 0, 0))},
		.messages = "pipe ->20 30 - r1106+0 ambiguous\n"
			    "pipe ->20 10 - r1108+0 ambiguous\n"
			    "pipe 10>20 4096 s1102+0 r1108+10 exact\n",
	},
	{
		/* Somebody who is not in the trace has taken a part of it. */
		.name = "less_than_the_kernel_counted",
		.lines = {FOUND_PIPE},
		.calls = {PUTS(1102, 10, 10, 15, 5, STOOD("at_entry", 3, 0, 20, 0, 60)
						    STOOD("at_exit", 3, 0, 25, 0, 65)),
			  GETS(1106, 20, 21, 26, 60, STOOD("at_entry", 3, 0, 25, 0, 65)
						     STOOD("at_exit", 3, 3, 25, 0, 0))},
		.messages = "pipe ->20 55 - r1106+0 ambiguous\n"
			    "pipe 10>20 5 s1102+0 r1106+55 ambiguous\n",
	},
	{
		/* What others saw before it ran again, and after it returned, tells where it is. */
		.name = "send_found_asleep",
		.lines = {FOUND_PIPE},
		.calls = {{1102, "vmsplice", "send", 10, 0, 4, TRACE_PIPE, 4, 30, 16,
			   ",'entered_before':true,'resumed_ns':25"},
			  GETS(1104, 20, 10, 20, 4096, STOOD("at_entry", 1, 0, 4096, 0, 4096)
						       STOOD("at_exit", 1, 1, 4096, 0, 0)),
			  PUTS(1106, 10, 31, 35, 5, STOOD("at_entry", 2, 1, 16, 0, 16)
						    STOOD("at_exit", 3, 1, 5, 0, 21)),
			  GETS(1108, 20, 40, 45, 21, STOOD("at_entry", 3, 1, 5, 0, 21)
						     STOOD("at_exit", 3, 3, 5, 0, 0))},
		.messages = "pipe ->20 4096 - r1104+0 ambiguous\n"
			    "pipe 10>20 16 s1102+0 r1108+0 exact\n"
			    "pipe 10>20 5 s1106+0 r1108+16 exact\n",
	},
	{
		/* It waited for room, and was still asleep when the others were counted. */
		.name = "datagram_found_asleep",
		.lines = {FOUND_DATAGRAM},
		.calls = {{1102, "sendto", "send", 10, 0, 5, "unix-dgram:[1]", 4, 30, 5,
			   ",'entered_before':true,'resumed_ns':25,'to':'unix-dgram:[2]'"},
			  RECEIVES(1104, 20, "unix-dgram:[2]", 20, 5, ""),
			  RECEIVES(1106, 20, "unix-dgram:[2]", 40, 5, "")},
		.messages = "unix-dgram ->20 5 - r1104+0 exact\n"
			    "unix-dgram 10>20 5 s1102+0 r1106+0 exact\n",
	},
	{
		/* This one had slept before: nobody knows whether its message was counted. */
		.name = "datagram_found_on_its_way",
		.lines = {FOUND_DATAGRAM},
		.calls = {{1102, "sendto", "send", 10, 0, 5, "unix-dgram:[1]", 4, 30, 5,
			   ",'entered_before':true,'resumed_ns':7,'to':'unix-dgram:[2]'"},
			  RECEIVES(1104, 20, "unix-dgram:[2]", 20, 5, "")},
		.messages = "unix-dgram 10>20 5 s1102+0 r1104+0 ambiguous\n",
	},
	{
		/* The kernel numbers the messages from when the call was found. */
		.name = "messages_found_under_way",
		.lines = {FOUND_UNDER_WAY},
		.calls = {UNDER_WAY, RECEIVES(1104, 20, "unix-dgram:[2]", 20, 9, FROM(1)),
			  RECEIVES(1106, 20, "unix-dgram:[2]", 40, 4, FROM(1)),
			  RECEIVES(1108, 20, "unix-dgram:[2]", 50, 5, FROM(1)),
			  RECEIVES(1110, 20, "unix-dgram:[2]", 60, 6, FROM(1) NAMES(1, 6))},
		.messages = "unix-dgram ->20 9 - r1104+0 exact\n"
			    "unix-dgram 10>20 4 s1102+0 r1106+0 exact\n"
			    "unix-dgram 10>20 5 s1102+4 r1108+0 exact\n"
			    "unix-dgram 10>20 6 s1102+9 r1110+0 exact\n",
	},
	{
		/* The last one that lay there is of another socket: the order is not known. */
		.name = "another_after_messages_under_way",
		.lines = {FOUND_UNDER_WAY},
		.calls = {UNDER_WAY, RECEIVES(1104, 20, "unix-dgram:[2]", 20, 4, FROM(1)),
			  RECEIVES(1106, 20, "unix-dgram:[2]", 40, 4, FROM(3)),
			  RECEIVES(1110, 20, "unix-dgram:[2]", 60, 6, FROM(1) NAMES(1, 6))},
		.messages = "unix-dgram 10>20 4 s1102+0 r1104+0 ambiguous\n"
			    "unix-dgram ->20 4 - r1106+0 ambiguous\n"
			    "unix-dgram 10>20 6 s1102+9 r1110+0 exact\n"
			    "unix-dgram 10>- 5 s1102+4 - ambiguous unread\n",
	},
	{
		/* One call takes both: who sent each of its messages the kernel does not tell. */
		.name = "messages_under_way_taken_with_others",
		.lines = {FOUND_UNDER_WAY},
		.calls = {UNDER_WAY,
			  {1104, "recvmmsg", "receive", 20, 0, 6, "unix-dgram:[2]", 20, 21, 3,
			   FROM(1) ",'lengths':[9,4,5]"},
			  RECEIVES(1110, 20, "unix-dgram:[2]", 60, 6, FROM(1) NAMES(1, 6))},
		.messages = "unix-dgram ->20 9 - r1104+0 ambiguous\n"
			    "unix-dgram 10>20 4 s1102+0 r1104+9 ambiguous\n"
			    "unix-dgram 10>20 5 s1102+4 r1104+13 exact\n"
			    "unix-dgram 10>20 6 s1102+9 r1110+0 exact\n",
	},
	{
		/* A process outside may have read it: it holds an end when tracing ends. */
		.name = "read_outside",
		.lines = {FOUND_PIPE,
			  "{'type':'descriptors','event':'snapshot','at_ns':1,'pid':10,"
			  "'fds':[{'fd':3,'channel':'" TRACE_PIPE "','access':'read'},"
			  "{'fd':4,'channel':'" TRACE_PIPE "','access':'write'}]}",
			  "{'type':'channel','id':'" TRACE_PIPE "','at_ns':50,'mechanism':'pipe',"
			  "'held_outside':{'pid':40,'comm':'cat','fd':0,'access':'read'}}"},
		.calls = {PUTS(1102, 10, 10, 15, 5, STOOD("at_entry", 0, 0, 0, 0, 0)
						    STOOD("at_exit", 1, 0, 5, 0, 5))},
		.messages = "pipe 10>- 5 s1102+0 - ambiguous unread\n",
	},
	{
		.name = "terminal_found_empty",
		.lines = {FOUND_TERMINAL(0, 0)},
		.calls = {AT_MASTER(1102, "write", "send", 10, 5, CANONICAL ",'payload':'date\\n'"),
			  AT_SLAVE(1104, "read", "receive", 20, 5, CANONICAL)},
		.messages = "pty 10>20 5 s1102+0 r1104+0 exact\n",
	},
	{
		/* What lay there is read first, and a part of what was written with its rest. */
		.name = "terminal_found_with_bytes",
		.lines = {FOUND_TERMINAL(7, 0)},
		.calls = {AT_SLAVE(1102, "write", "send", 10, 5, RAW),
			  AT_MASTER(1104, "read", "receive", 20, 4, RAW),
			  AT_MASTER(1106, "read", "receive", 30, 8, RAW)},
		.messages = "pty ->10 4 - r1104+0 exact\n"
			    "pty ->10 3 - r1106+0 exact\n"
			    "pty 20>10 5 s1102+0 r1106+3 exact\n",
	},
	{
		/* A line that is being edited: nobody knows what will be left of it. */
		.name = "terminal_found_with_a_line",
		.lines = {FOUND_TERMINAL(0, 3)},
		.calls = {AT_MASTER(1102, "write", "send", 10, 5, CANONICAL ",'payload':'date\\n'"),
			  AT_SLAVE(1104, "read", "receive", 20, 8, CANONICAL)},
		.messages = "pty 10>20 5 s1102+0 r1104+0 ambiguous\n"
			    "pty ->20 3 - r1104+5 ambiguous\n",
	},
	{
		/* A write was under way when the bytes were counted. */
		.name = "terminal_found_while_written",
		.lines = {FOUND_TERMINAL(0, 0)},
		.calls = {{1102, "write", "send", 20, 0, 4, "pty:[3]", 4, 15, 5,
			   ",'entered_before':true" RAW},
			  AT_MASTER(1104, "read", "receive", 20, 5, RAW)},
		.messages = "pty 20>10 5 s1102+0 r1104+0 ambiguous\n",
	},
};
/* clang-format on */

int main(void)
{
	return trace_shapes_run(shapes, sizeof(shapes) / sizeof(shapes[0]), trace_three_set_up);
}
