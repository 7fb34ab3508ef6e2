/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/msg.h"
#include "base/xalloc.h"
#include "serve/address.h"

enum { CONNECT_MS = 10000, BACKLOG = 4 };

/* -- the text ----------------------------------------------------------------------- */

/* A folder that is ours alone: XDG_RUNTIME_DIR is (XDG base directories); else one
 * below /tmp that nobody else can have made for us. */
static char *default_path(void)
{
	const char *run = getenv("XDG_RUNTIME_DIR");
	struct stat st;
	char *folder, *path;

	if (run && *run == '/')
		return xasprintf("%s/%s.socket", run, PROGRAM_NAME);
	folder = xasprintf("/tmp/%s-%u", PROGRAM_NAME, (unsigned)geteuid());
	if (mkdir(folder, 0700) && errno != EEXIST) {
		msg_error("cannot make the folder %s: %s", folder, strerror(errno));
		free(folder);
		return NULL;
	}
	if (lstat(folder, &st) || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() || st.st_mode & 077) {
		msg_error("%s is not a folder of yours alone: name another socket", folder);
		free(folder);
		return NULL;
	}
	path = xasprintf("%s/socket", folder);
	free(folder);
	return path;
}

/* Splits HOST[:PORT], where an IPv6 address without brackets has no port. */
static int split(const char *text, struct address *a)
{
	const char *end, *colon;

	if (*text == '[') {
		end = strchr(text, ']');
		if (!end || (end[1] && end[1] != ':'))
			return -1;
		a->host = xstrndup(text + 1, (size_t)(end - text - 1));
		a->port = end[1] ? xstrdup(end + 2) : NULL;
		return 0;
	}
	colon = strchr(text, ':');
	if (colon && strchr(colon + 1, ':'))
		colon = NULL;
	a->host = colon ? xstrndup(text, (size_t)(colon - text)) : xstrdup(text);
	a->port = colon ? xstrdup(colon + 1) : NULL;
	return 0;
}

static bool good_port(const char *port)
{
	unsigned long n = strtoul(port, NULL, 10);

	return *port && strspn(port, "0123456789") == strlen(port) && n > 0 && n < 65536;
}

int address_parse(const char *text, const char *port, struct address *a)
{
	*a = (struct address){ 0 };
	if (*text == '/' || *text == '.') {
		a->path = strcmp(text, ".") ? xstrdup(text) : default_path();
		/* A pid goes behind it while it is made. */
		if (a->path && strlen(a->path) + 9 < sizeof ((struct sockaddr_un *)0)->sun_path)
			return 0;
		if (a->path)
			msg_error("the name of the socket is too long: %s", a->path);
		address_release(a);
		return -1;
	}
	if (split(text, a)) {
		address_release(a);
		return msg_error("'%s' is no address like 192.168.1.5, [fe80::1]:%s or ./socket", text,
				 ADDRESS_PORT);
	}
	if (!a->port)
		a->port = xstrdup(port ? port : ADDRESS_PORT);
	if (!good_port(a->port)) {
		msg_error("'%s' is no port: a number from 1 to 65535", a->port);
		address_release(a);
		return -1;
	}
	if (!*a->host || !strcmp(a->host, "*")) {
		free(a->host);
		a->host = NULL;
	}
	return 0;
}

void address_release(struct address *a)
{
	free(a->path);
	free(a->host);
	free(a->port);
	*a = (struct address){ 0 };
}

/* -- TCP ------------------------------------------------------------------------------ */

/* NULL after a message. */
static struct addrinfo *resolve(const struct address *a, int flags)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = flags }, *found;
	int err = getaddrinfo(a->host, a->port, &hints, &found);

	if (!err)
		return found;
	msg_error("%s: %s", a->host ? a->host : "*", gai_strerror(err));
	return NULL;
}

static bool is_loopback(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)(const void *)sa)->sin_addr.s_addr) >> 24 == 127;
	return sa->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr);
}

bool address_is_local(const struct address *a)
{
	struct addrinfo *all;
	bool local = true;

	if (a->path)
		return true;
	if (!a->host || !(all = resolve(a, AI_PASSIVE)))
		return false;
	for (struct addrinfo *ai = all; ai; ai = ai->ai_next)
		local &= is_loopback(ai->ai_addr);
	freeaddrinfo(all);
	return local;
}

void address_tune(int fd)
{
	int on = 1, idle = 30, between = 10, times = 3;

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	/* These fail on UNIX sockets, which need none of them. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &between, sizeof between);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof times);
}

/* A listening socket, or -errno. */
static int listen_at(const struct addrinfo *ai)
{
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1, err;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	/* IPv4 has a socket of its own. */
	if (ai->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	if (!bind(fd, ai->ai_addr, ai->ai_addrlen) && !listen(fd, BACKLOG))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static int listen_tcp(const struct address *a, int fds[ADDRESS_FDS])
{
	struct addrinfo *all = resolve(a, AI_PASSIVE);
	int n = 0, err = 0;

	if (!all)
		return -1;
	for (struct addrinfo *ai = all; ai && n < ADDRESS_FDS; ai = ai->ai_next) {
		int fd = listen_at(ai);

		if (fd >= 0)
			fds[n++] = fd;
		else if (fd != -EAFNOSUPPORT && fd != -EADDRNOTAVAIL)
			err = fd; /* not only that this machine has no IPv6 */
	}
	freeaddrinfo(all);
	if (n && !err)
		return n;
	while (n)
		close(fds[--n]);
	return msg_error("cannot listen on %s port %s: %s", a->host ? a->host : "*", a->port,
			 strerror(err ? -err : EADDRNOTAVAIL));
}

/* 0 or -errno. */
static int connect_within(int fd, const struct sockaddr *sa, socklen_t len)
{
	struct pollfd p = { fd, POLLOUT, 0 };
	socklen_t size = sizeof(int);
	int err = 0, flags = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	if (connect(fd, sa, len)) {
		err = errno;
		/* EAGAIN: a UNIX socket whose backlog is full */
		if (err == EINPROGRESS && poll(&p, 1, CONNECT_MS) == 1)
			getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size);
		else if (err == EINPROGRESS)
			err = ETIMEDOUT;
	}
	fcntl(fd, F_SETFL, flags);
	return -err;
}

static int connect_tcp(const struct address *a)
{
	struct addrinfo *all = resolve(a, 0);
	int err = -EADDRNOTAVAIL;

	if (!all)
		return -1;
	for (struct addrinfo *ai = all; ai; ai = ai->ai_next) {
		int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

		err = fd < 0 ? -errno : connect_within(fd, ai->ai_addr, ai->ai_addrlen);
		if (!err) {
			freeaddrinfo(all);
			address_tune(fd);
			return fd;
		}
		if (fd >= 0)
			close(fd);
	}
	freeaddrinfo(all);
	return msg_error("cannot connect to %s port %s: %s", a->host ? a->host : "this machine", a->port,
			 strerror(-err));
}

/* -- UNIX sockets ------------------------------------------------------------------------ */

static struct sockaddr_un unix_named(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	strncpy(un.sun_path, path, sizeof un.sun_path - 1);
	return un;
}

static struct sockaddr_un unix_name(const struct address *a)
{
	return unix_named(a->path);
}

/* Whether there is a socket that nobody listens on: its server is dead. */
static bool is_stale(const struct address *a)
{
	struct sockaddr_un un = unix_name(a);
	struct stat st;
	int fd, err;

	if (lstat(a->path, &st) || !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	err = connect(fd, (struct sockaddr *)&un, sizeof un) ? errno : 0;
	close(fd);
	return err == ECONNREFUSED;
}

static int listen_unix(const struct address *a, int fds[ADDRESS_FDS])
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err;
	char *early = xasprintf("%s.%d", a->path, (int)getpid());
	struct sockaddr_un un = unix_named(early);
	mode_t mask;

	if (fd < 0) {
		free(early);
		return msg_error("cannot make a socket: %s", strerror(errno));
	}
	if (is_stale(a)) {
		msg_info("%s was left behind by a server that has ended: it is replaced", a->path);
		unlink(a->path);
	}
	/* It has its name only when it listens: who sees it can connect. */
	mask = umask(0177);
	unlink(early);
	err = bind(fd, (struct sockaddr *)&un, sizeof un) || listen(fd, BACKLOG) ||
			      link(early, a->path) ? errno : 0;
	umask(mask);
	unlink(early);
	free(early);
	if (!err) {
		fds[0] = fd;
		return 1;
	}
	close(fd);
	return msg_error("cannot listen on %s: %s", a->path,
			 err == EEXIST ? "somebody does so, or there is another file" : strerror(err));
}

static int connect_unix(const struct address *a)
{
	struct sockaddr_un un = unix_name(a);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), err;

	err = fd < 0 ? -errno : connect_within(fd, (struct sockaddr *)&un, sizeof un);
	if (!err)
		return fd;
	if (fd >= 0)
		close(fd);
	return msg_error("cannot connect to %s: %s", a->path,
			 err == -ECONNREFUSED ? "no server is there any more" : strerror(-err));
}

/* -- either ------------------------------------------------------------------------------- */

int address_listen(const struct address *a, int fds[ADDRESS_FDS])
{
	return a->path ? listen_unix(a, fds) : listen_tcp(a, fds);
}

int address_connect(const struct address *a)
{
	return a->path ? connect_unix(a) : connect_tcp(a);
}

/* Of this machine's own addresses the first that others can use. */
static char *own_address(void)
{
	struct ifaddrs *all, *i;
	char text[INET_ADDRSTRLEN] = "";

	if (getifaddrs(&all))
		return NULL;
	for (i = all; i && !*text; i = i->ifa_next)
		if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET && i->ifa_flags & IFF_UP &&
		    !is_loopback(i->ifa_addr))
			inet_ntop(AF_INET, &((struct sockaddr_in *)(void *)i->ifa_addr)->sin_addr, text,
				  sizeof text);
	freeifaddrs(all);
	return *text ? xstrdup(text) : NULL;
}

char *address_for_client(const struct address *a)
{
	char *host, *text;

	if (a->path)
		return xstrdup(a->path);
	host = a->host ? xstrdup(a->host) : own_address();
	if (!host)
		host = xstrdup("localhost");
	if (!strcmp(a->port, ADDRESS_PORT))
		return host;
	text = xasprintf(strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, a->port);
	free(host);
	return text;
}
