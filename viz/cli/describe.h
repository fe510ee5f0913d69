/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Prints what --help is made of, as lines of fields that tabs separate: docs/man/page and
 * completions/generate make man pages and completions of it. In a field, \n stands for the end of
 * a line.
 *
 *	about	TEXT			what the command does
 *	usage	WORDS			what follows its name, as [TRACE]
 *	group	TITLE			of the options that follow; empty: none
 *	option	LETTER	NAMES	ARGUMENT	TEXT	VALUES
 *				as color,colour and FILE, or empty; VALUES: all that the argument
 *				may be, as text,html, where a table has them; else empty
 *	more	TEXT			what --help prints behind the options
 */
#ifndef VIZ_CLI_DESCRIBE_H
#define VIZ_CLI_DESCRIBE_H

#include <argp.h>
#include <stdio.h>

void describe(FILE *out, const struct argp *argp);

#endif
