// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Attaches the programs of an object file, then runs a command under them: empty OBJECT CMD… */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int attach_all(const char *path)
{
	struct bpf_object *object = bpf_object__open(path);
	struct bpf_program *program;

	if (!object || bpf_object__load(object))
		return -errno;
	bpf_object__for_each_program(program,
				     object) if (!bpf_program__attach(program)) return -errno;
	return 0; /* what is attached stays until this process ends */
}

int main(int argc, char **argv)
{
	int err, status = 1;
	pid_t child;

	if (argc < 3) {
		fprintf(stderr, "usage: %s OBJECT CMD…\n", argv[0]);
		return 2;
	}
	err = attach_all(argv[1]);
	if (err) {
		fprintf(stderr, "%s: %s: %s\n", argv[0], argv[1], strerror(-err));
		return 1;
	}
	child = fork();
	if (child == 0) {
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
