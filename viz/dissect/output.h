/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads what tshark printed: one line a packet, with tabs between number, protocol, info and the
 * fields that count PDUs. It comes from payloads of traced programs, and is as hostile as they are.
 */
#ifndef VIZ_DISSECT_OUTPUT_H
#define VIZ_DISSECT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

/* What a line says; texts are parts of the line. */
struct output_line {
	size_t packet; /* from 1 */
	const char *protocol, *info;
	size_t protocol_len, info_len;
	size_t pdus; /* 0: not counted */
};

/* False if it is no such line. */
bool output_parse(const char *line, size_t len, struct output_line *parsed);

enum { OUTPUT_PROTOCOL_MOST = 24, OUTPUT_SUMMARY_MOST = 120 };

/*
 * The protocol's name in small letters: `row` where it is of that family ("TLSv1.3": "tls"). False:
 * no dissector knew it, or it is no name.
 */
bool output_protocol(const struct output_line *line, const char *row,
		     char name[OUTPUT_PROTOCOL_MOST + 1]);

/*
 * What the packet says, for an arrow: harmless, at most about OUTPUT_SUMMARY_MOST bytes, the first
 * PDU and how many more; allocated. NULL: nothing, or tshark could not read it.
 */
char *output_summary(const struct output_line *line);

#endif
