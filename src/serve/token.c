/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/msg.h"
#include "base/xalloc.h"
#include "serve/token.h"

char *token_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char buf[TOKEN_MAX + 1];
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st)) {
		msg_error("cannot read %s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	if (S_ISREG(st.st_mode) && st.st_mode & 077)
		msg_warn("others can read or write %s, and so the token in it: chmod 600", path);
	n = read(fd, buf, sizeof buf - 1);
	close(fd);
	buf[MAX(n, 0)] = '\0';
	buf[strcspn(buf, "\r\n")] = '\0';
	if (!*buf) {
		msg_error("%s has no token: one line of at most %d characters", path, TOKEN_MAX);
		return NULL;
	}
	return xstrdup(buf);
}

bool token_equal(const char *ours, const char *theirs)
{
	size_t n, m;
	volatile unsigned char differs;

	if (!ours || !theirs)
		return false;
	n = strlen(ours);
	m = strlen(theirs);
	differs = n != m;
	for (size_t i = 0; i < n; i++)
		differs |= (unsigned char)(ours[i] ^ theirs[m ? i % m : 0]);
	return !differs;
}
