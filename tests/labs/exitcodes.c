// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Ends with a given status, or dies of a given signal. */
#include <signal.h>
#include <sys/resource.h>

#include "tests/labs/lab.h"

int main(int argc, char **argv)
{
	static const struct rlimit no_core = {0, 0};
	int number;

	lab_help(argc, argv, "[STATUS | signal NUMBER]: ends so");
	if (argc < 3)
		return (int)lab_number(argc, argv, 1, 0);
	if (!lab_is(argv[1], "signal"))
		lab_usage(argv[1]);
	number = (int)lab_number(argc, argv, 2, 0);
	lab_check(setrlimit(RLIMIT_CORE, &no_core), "setrlimit");
	truth(.action = "dies", .signal = number);
	truth_flush();
	lab_check(kill(getpid(), number), "kill");
	lab_expect(false, "the signal was deadly");
}
