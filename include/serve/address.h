/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a server listens and a client connects to.
 *
 *   /run/x.sock  ./x.sock      a UNIX socket (unix(7))
 *   .                          the user's own, in a folder of his own
 *   HOST  HOST:PORT  :PORT     TCP (tcp(7)); HOST is a name, an IPv4 address, * (all),
 *   [2001:db8::1]:PORT         or an IPv6 address, in brackets when a port follows */
#ifndef MTRACE_SERVE_ADDRESS_H
#define MTRACE_SERVE_ADDRESS_H

#include "base/types.h"

#define ADDRESS_PORT "4576"
#define ADDRESS_FDS 8

struct address {
	char *path;    /* UNIX socket; NULL: TCP … */
	char *host;    /* … NULL: all addresses */
	char *port;
};

/* `port` NULL: the one in the text, else ADDRESS_PORT.  0, or -1 after a message;
 * the caller releases. */
int address_parse(const char *text, const char *port, struct address *a);
void address_release(struct address *a);
/* Is it reached from this machine alone: a UNIX socket, or loopback addresses? */
bool address_is_local(const struct address *a);
/* Sockets that listen, close-on-exec and non-blocking: how many, or -1 after a
 * message.  A UNIX socket is made with mode 0600; one that nobody listens on any
 * more is replaced; the caller unlinks it. */
int address_listen(const struct address *a, int fds[ADDRESS_FDS]);
/* Connects within ten seconds: a descriptor, blocking and close-on-exec, or -1 after
 * a message. */
int address_connect(const struct address *a);
/* What a client says to reach it: for all addresses one that other machines know
 * this one by.  The caller frees. */
char *address_for_client(const struct address *a);
/* Keep-alive, no delay: of a TCP connection. */
void address_tune(int fd);

#endif
