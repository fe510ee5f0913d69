// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The lecture's HTTP echo server: answers each request with a page that shows the request.
 * It tells on stdout where it listens, as soon as it does, so that a script can wait for it.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/labs/lab.h"

enum { PORT = 6789, REQUEST_MAX = 64 * 1024, BACKLOG = 5 };

static int listen_on(in_port_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	socklen_t len = sizeof(address);
	int one = 1;
	int fd = (int)lab_check(socket(AF_INET, SOCK_STREAM, 0), "socket");

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	lab_check(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), "SO_REUSEADDR");
	lab_check(bind(fd, (struct sockaddr *)&address, len), "bind");
	lab_check(listen(fd, BACKLOG), "listen");
	lab_check(getsockname(fd, (struct sockaddr *)&address, &len), "getsockname");
	printf("http://127.0.0.1:%d/\n", ntohs(address.sin_port));
	if (fflush(stdout))
		lab_die("stdout");
	return fd;
}

/* The request's head: a stream may bring it in parts, and ends it with an empty line. */
static size_t read_request(int fd, char *request)
{
	size_t len = 0, n;

	do {
		n = lab_read(fd, "tcp", "request", request + len, REQUEST_MAX - 1 - len);
		len += n;
		request[len] = '\0';
	} while (n && len < REQUEST_MAX - 1 && !strstr(request, "\r\n\r\n"));
	return len;
}

static void answer(int fd, const char *request)
{
	char *body, *response;
	int body_len, len;

	body_len = asprintf(&body,
			    "<html>\n<body>\n<h1>Hello web browser</h1>\nYour request was\n"
			    "<pre>%s</pre>\n</body>\n</html>\n",
			    request);
	lab_check(body_len, "asprintf");
	len = asprintf(&response,
		       "HTTP/1.0 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s",
		       body_len, body);
	lab_check(len, "asprintf");
	lab_write(fd, "tcp", "response", response, (size_t)len);
	free(response);
	free(body);
}

int main(int argc, char **argv)
{
	static char request[REQUEST_MAX];
	int listener;
	long requests;

	lab_help(
		argc, argv,
		"[PORT [REQUESTS]]: HTTP echo on 127.0.0.1, port 6789, for 1 request; port 0: any");
	requests = lab_number(argc, argv, 2, 1);
	listener = listen_on((in_port_t)lab_number(argc, argv, 1, PORT));
	while (requests-- > 0) {
		int fd = (int)lab_check(accept(listener, NULL, NULL), "accept");

		if (read_request(fd, request))
			answer(fd, request);
		close(fd);
	}
	close(listener);
	return EXIT_SUCCESS;
}
