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
#define FOUND_PIPE "{'type':'channel','id':'" TRACE_PIPE "','at_ns':1,'mechanism':'pipe'}"

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
};
/* clang-format on */

int main(void)
{
	return trace_shapes_run(shapes, sizeof(shapes) / sizeof(shapes[0]), trace_three_set_up);
}
