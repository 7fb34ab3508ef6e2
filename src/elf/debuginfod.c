/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Debug files from the servers in DEBUGINFOD_URLS, with a time limit. */
#include "file.h"

#ifdef HAVE_DEBUGINFOD
#include <elfutils/debuginfod.h>
#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/msg.h"

#define DEFAULT_TIMEOUT_S 30

struct asking {
	const char *name;
	uint64_t began_ns;
	bool gave_up, too_slow;
};

/* Called by libdebuginfod while it waits; non-zero ends the transfer. */
static int on_progress(debuginfod_client *c, long have, long total)
{
	const struct debug_opts *o = &elf_debug_opts;
	struct asking *q = debuginfod_get_user_data(c);
	unsigned limit = o->debuginfod_timeout_s ? o->debuginfod_timeout_s : DEFAULT_TIMEOUT_S;

	q->too_slow = clock_ns() - q->began_ns >= limit * NS_PER_S;
	if ((o->interrupted && *o->interrupted) || q->too_slow ||
	    (o->progress && o->progress(q->name, have, total)))
		q->gave_up = true;
	return q->gave_up;
}

char *debuginfod_path(const uint8_t *id, size_t len, const char *name)
{
	/* A server that was too slow once is not waited for again. */
	static bool gave_up;
	struct asking q = { .name = name, .began_ns = clock_ns() };
	const char *urls = getenv("DEBUGINFOD_URLS");
	debuginfod_client *c;
	char *path = NULL;
	int fd;

	if (gave_up || !urls || !*urls ||
	    (elf_debug_opts.interrupted && *elf_debug_opts.interrupted))
		return NULL;
	c = debuginfod_begin();
	if (!c)
		return NULL;
	debuginfod_set_user_data(c, &q);
	debuginfod_set_progressfn(c, on_progress);
	fd = debuginfod_find_debuginfo(c, id, (int)len, &path);
	debuginfod_end(c);
	/* The client has a limit of its own, DEBUGINFOD_TIMEOUT. */
	q.too_slow |= fd == -ETIME || fd == -ETIMEDOUT;
	gave_up = q.gave_up || q.too_slow;
	if (q.too_slow)
		msg_info("debuginfod: the server is too slow for %s; going on without", name);
	if (fd < 0) {
		free(path);
		return NULL;
	}
	close(fd);
	return path;
}

#else

char *debuginfod_path(const uint8_t *id, size_t len, const char *name)
{
	(void)id;
	(void)len;
	(void)name;
	return NULL;
}

#endif
