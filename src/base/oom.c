/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/msg.h"
#include "base/oom.h"

#define NEVER "-1000" /* OOM_SCORE_ADJ_MIN of linux/oom.h */

static char before[16]; /* what was there; empty: nothing was changed */

static int open_score(int how)
{
	return open("/proc/self/oom_score_adj", how | O_CLOEXEC);
}

static int set_score(const char *score)
{
	int fd = open_score(O_WRONLY), err;

	if (fd < 0)
		return -errno;
	err = write_all(fd, score, strlen(score));
	close(fd);
	return err;
}

/* Without CAP_SYS_RESOURCE it may not be less than who had it allowed, often 0. */
static int set_least(int was)
{
	int err = set_score(NEVER);

	return err && was > 0 ? set_score("0") : err;
}

void oom_protect(void)
{
	int fd = geteuid() || *before ? -1 : open_score(O_RDONLY), err;
	char was[sizeof before] = "";

	if (fd < 0)
		return;
	if (read(fd, was, sizeof was - 1) > 0) {
		err = set_least(atoi(was));
		if (err)
			msg_debug("not protected from the OOM killer: %s", strerror(-err));
		else
			memcpy(before, was, sizeof before);
	}
	close(fd);
}

void oom_unprotect(void)
{
	int saved = errno;

	if (*before)
		set_score(before);
	errno = saved;
}
