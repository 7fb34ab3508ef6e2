/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/file.h"
#include "base/strbuf.h"

static int write_on(int fd, const char *s, size_t n, bool patiently)
{
	while (n) {
		ssize_t k = write(fd, s, n);

		if (k < 0 && errno == EAGAIN && patiently) {
			struct pollfd p = { fd, POLLOUT, 0 };

			if (poll(&p, 1, -1) < 0 && errno != EINTR)
				return -errno;
			continue;
		}
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -errno;
		s += k;
		n -= (size_t)k;
	}
	return 0;
}

int write_all(int fd, const void *p, size_t n)
{
	return write_on(fd, p, n, false);
}

int write_patiently(int fd, const void *p, size_t n)
{
	return write_on(fd, p, n, true);
}

char *name_with_pid(const char *name, pid_t pid)
{
	struct strbuf sb = STRBUF_INIT;

	for (; *name; name++) {
		if (name[0] == '%' && name[1] == 'p') {
			strbuf_addf(&sb, "%d", (int)pid);
			name++;
		} else {
			strbuf_addc(&sb, *name);
			if (name[0] == '%' && name[1] == '%')
				name++;
		}
	}
	return strbuf_detach(&sb);
}
