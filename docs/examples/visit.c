// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Counts the messages of each pair of processes in a trace, and prints what is wrong in it. */
#include <err.h>
#include <ipclens/viz.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	struct ipclens_trace *trace;
	struct ipclens_error error;
	struct ipclens_about about;
	struct ipclens_message message;
	struct ipclens_finding finding;
	size_t count = 0, n;
	if (ipclens_open(argc > 1 ? argv[1] : "-", NULL, &trace, &error))
		errx(EXIT_FAILURE, "%s", error.text);
	ipclens_get_about(trace, &about);
	uint64_t *pairs = (uint64_t *)calloc(about.message_count + 1, sizeof(*pairs));
	for (; pairs && ipclens_get_message(trace, count, &message); count++)
		pairs[count] = (uint64_t)message.from.process << 32 | (uint32_t)message.to.process;
	qsort(pairs, count, sizeof(*pairs), compare);
	for (size_t i = 0; i < count; i += n) {
		struct ipclens_process from, to; /* pid 0: outside the trace, or nobody */
		ipclens_get_process(trace, (uint32_t)(pairs[i] >> 32), &from);
		ipclens_get_process(trace, (uint32_t)pairs[i], &to);
		for (n = 1; i + n < count && pairs[i + n] == pairs[i];)
			n++;
		printf("%s %u to %s %u: %zu\n", from.comm.text, from.pid, to.comm.text, to.pid, n);
	}
	for (size_t i = 0; ipclens_get_finding(trace, i, &finding); i++)
		printf("%s: %s\n", finding.id, finding.text);
	free(pairs);
	ipclens_close(trace);
}
