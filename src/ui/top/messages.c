/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages that wait until the screen is gone: in a file without a name, which a
 * tracer that we start writes to as well. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/msg.h"
#include "base/xalloc.h"
#include "top.h"

enum { LAST_MAX = 400 };

static struct {
	FILE *file; /* NULL: nothing waits */
	off_t told, seen;
} waiting;

int top_messages_begin(void)
{
	int fd;

	waiting.file = tmpfile();
	if (!waiting.file)
		return msg_error("cannot make a file in /tmp: %s", strerror(errno));
	fd = fileno(waiting.file);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	fcntl(fd, F_SETFL, O_APPEND);
	msg_set_fd(fd);
	msg_set_color(false); /* the screen takes no escape sequences */
	return 0;
}

void top_messages_tell(bool end)
{
	char buf[4096];
	ssize_t n;

	if (!waiting.file)
		return;
	while ((n = pread(fileno(waiting.file), buf, sizeof buf, waiting.told)) > 0) {
		waiting.told += n;
		write_all(STDERR_FILENO, buf, (size_t)n);
	}
	if (!end)
		return;
	msg_set_fd(STDERR_FILENO);
	fclose(waiting.file);
	waiting.file = NULL;
}

char *top_messages_last(void)
{
	char buf[LAST_MAX + 1], *line;
	struct stat st;
	ssize_t n;

	if (!waiting.file || fstat(fileno(waiting.file), &st) || st.st_size <= waiting.seen)
		return NULL;
	waiting.seen = st.st_size;
	n = pread(fileno(waiting.file), buf, LAST_MAX, MAX(st.st_size - LAST_MAX, 0));
	while (n > 0 && buf[n - 1] == '\n')
		n--;
	if (n <= 0)
		return NULL;
	buf[n] = '\0';
	line = strrchr(buf, '\n');
	return xstrdup(line ? line + 1 : buf);
}
