// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Any bytes as a trace that a program opens with the library: everything that viz/library/viz.h
 * promises of an open trace is checked of everything in it.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz_text.h"
#include "viz/library/viz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_index(size_t index, size_t count)
{
	require(index < count || index == IPCLENS_NONE);
}

/* Of what was handed out the sanitizer sees whether it is all there. */
static void check_bytes(const char *bytes, size_t len)
{
	volatile char sum = 0;

	for (size_t i = 0; i < len; i++)
		sum = (char)(sum ^ bytes[i]);
}

static void check_text(const char *text, size_t len)
{
	require(strlen(text) == len);
	check_document(text, len);
}

static void check_name(const struct ipclens_name *name)
{
	check_text(name->text, name->text_len);
	check_bytes(name->bytes, name->bytes_len);
	require(name->bytes || (!name->bytes_len && !name->text_len));
	require(!name->bytes || name->bytes[name->bytes_len] == '\0');
}

/* Whoever follows the parents from any process comes to an end. */
static void check_parents(const struct ipclens_trace *trace, size_t count)
{
	struct ipclens_process process;

	for (size_t i = 0; i < count; i++) {
		size_t at = i, steps = 0;

		for (; at != IPCLENS_NONE; at = process.parent) {
			require(ipclens_get_process(trace, at, &process));
			require(steps++ < count);
		}
	}
}

static void check_processes(const struct ipclens_trace *trace, const struct ipclens_about *about)
{
	struct ipclens_process process;

	for (size_t i = 0; i < about->process_count; i++) {
		require(ipclens_get_process(trace, i, &process));
		check_index(process.parent, about->process_count);
		check_name(&process.comm);
		check_name(&process.path);
	}
	check_parents(trace, about->process_count);
	require(!ipclens_get_process(trace, about->process_count, &process));
	check_name(&process.comm);
}

static void check_channels(const struct ipclens_trace *trace, const struct ipclens_about *about)
{
	struct ipclens_channel channel;

	for (size_t i = 0; i < about->channel_count; i++) {
		require(ipclens_get_channel(trace, i, &channel));
		check_index(channel.peer, about->channel_count);
		check_name(&channel.id);
		check_name(&channel.name);
		check_name(&channel.local_address);
		check_name(&channel.peer_address);
		check_text(channel.mechanism, strlen(channel.mechanism));
	}
	require(!ipclens_get_channel(trace, IPCLENS_NONE, &channel));
	check_name(&channel.id);
}

static void check_operations(const struct ipclens_trace *trace, const struct ipclens_about *about)
{
	struct ipclens_operation operation;

	for (size_t i = 0; i < about->operation_count; i++) {
		require(ipclens_get_operation(trace, i, &operation));
		check_index(operation.process, about->process_count);
		check_index(operation.channel, about->channel_count);
		check_index(operation.channel_out, about->channel_count);
		check_name(&operation.syscall);
		check_name(&operation.error);
	}
	require(!ipclens_get_operation(trace, IPCLENS_NONE, &operation));
}

static void check_end(const struct ipclens_end *end, const struct ipclens_about *about)
{
	check_index(end->process, about->process_count);
	check_index(end->operation, about->operation_count);
	check_name(&end->comm);
	check_bytes(end->payload, end->payload_len);
}

static void check_messages(const struct ipclens_trace *trace, const struct ipclens_about *about)
{
	struct ipclens_message message;
	size_t ambiguous = 0;

	for (size_t i = 0; i < about->message_count; i++) {
		require(ipclens_get_message(trace, i, &message));
		require(message.id == i + 1);
		check_index(message.channel, about->channel_count);
		check_index(message.echo, about->operation_count);
		check_end(&message.from, about);
		check_end(&message.to, about);
		check_name(&message.signal);
		check_name(&message.outside_address);
		check_text(message.mechanism, strlen(message.mechanism));
		for (size_t k = 0; k < message.outsider_count; k++)
			check_name(&message.outsiders[k].comm);
		ambiguous += message.match == IPCLENS_MATCH_AMBIGUOUS;
		require(message.match == IPCLENS_MATCH_EXACT ||
			message.match == IPCLENS_MATCH_AMBIGUOUS);
	}
	require(ambiguous == about->ambiguous_count);
	require(!ipclens_get_message(trace, about->message_count, &message));
	check_end(&message.to, about);
}

static void check_gaps(const struct ipclens_trace *trace, const struct ipclens_about *about)
{
	struct ipclens_gap gap;

	for (size_t i = 0; i < about->gap_count; i++) {
		require(ipclens_get_gap(trace, i, &gap));
		require(gap.channel < about->channel_count);
	}
	require(!ipclens_get_gap(trace, about->gap_count, &gap));
}

static void check_findings(const struct ipclens_trace *trace, const struct ipclens_about *about)
{
	enum ipclens_severity worst = IPCLENS_SEVERITY_ERROR;
	struct ipclens_finding finding;

	for (size_t i = 0; i < about->finding_count; i++) {
		require(ipclens_get_finding(trace, i, &finding));
		require(finding.severity <= worst && finding.severity >= IPCLENS_SEVERITY_NOTE);
		worst = finding.severity;
		check_index(finding.channel, about->channel_count);
		for (size_t k = 0; k < finding.process_count; k++)
			require(finding.processes[k] < about->process_count);
		for (size_t k = 0; k < finding.operation_count; k++)
			require(finding.operations[k] < about->operation_count);
		check_text(finding.text, finding.text_len);
		check_text(finding.advice, finding.advice_len);
		for (size_t k = 0; k < finding.evidence_count; k++)
			check_text(finding.evidence[k], strlen(finding.evidence[k]));
	}
	require(!ipclens_get_finding(trace, about->finding_count, &finding));
	check_text(finding.text, finding.text_len);
}

static void check_trace(const struct ipclens_trace *trace)
{
	struct ipclens_about about;

	ipclens_get_about(trace, &about);
	check_name(&about.tool);
	check_name(&about.kernel);
	check_name(&about.machine);
	check_name(&about.host);
	require(!about.warning || *about.warning);
	check_processes(trace, &about);
	check_channels(trace, &about);
	check_operations(trace, &about);
	check_messages(trace, &about);
	check_gaps(trace, &about);
	check_findings(trace, &about);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FILE *in = size ? fmemopen((void *)data, size, "r") : NULL;
	struct ipclens_trace *trace;
	struct ipclens_error error = {0};

	if (!in)
		return 0;
	if (!ipclens_open_stream(in, "fuzz", NULL, &trace, &error))
		check_trace(trace);
	else
		require(!trace && error.text[0] && error.line);
	ipclens_close(trace);
	fclose(in);
	return 0;
}
