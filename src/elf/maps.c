/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/PID/maps: see proc_pid_maps(5). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "base/strbuf.h"
#include "elf/modules.h"

#define DELETED " (deleted)"

/* A number that `end` follows.  False: something else. */
static bool hex_until(char **p, char end, uint64_t *out)
{
	char *s = *p, *stop;

	/* strtoull would take blanks and signs. */
	if (!((*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'f')))
		return false;
	*out = strtoull(s, &stop, 16);
	if (*stop != end)
		return false;
	*p = stop + 1;
	return true;
}

/* The kernel writes a newline in a name as \012, and nothing else so. */
static void unescape(char *s)
{
	char *to = s;

	while (*s) {
		if (strncmp(s, "\\012", 4) == 0) {
			*to++ = '\n';
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

static bool strip_deleted(char *path)
{
	size_t n = strlen(path), tail = sizeof DELETED - 1;

	if (n <= tail || strcmp(path + n - tail, DELETED) != 0)
		return false;
	path[n - tail] = '\0';
	return true;
}

/* start-end rwxp offset major:minor inode   path */
static bool parse_line(char *p, struct map_line *l)
{
	uint64_t major, minor;
	char *end;

	if (!hex_until(&p, '-', &l->start) || !hex_until(&p, ' ', &l->end) ||
	    l->start >= l->end || strnlen(p, 5) < 5 || p[4] != ' ')
		return false;
	l->r = p[0] == 'r';
	l->w = p[1] == 'w';
	l->x = p[2] == 'x';
	l->shared = p[3] == 's';
	p += 5;
	if (!hex_until(&p, ' ', &l->offset) || !hex_until(&p, ':', &major) ||
	    !hex_until(&p, ' ', &minor) || *p < '0' || *p > '9')
		return false;
	l->dev = makedev((unsigned)major, (unsigned)minor);
	l->ino = strtoull(p, &end, 10);
	p = end + strspn(end, " ");
	l->deleted = strip_deleted(p);
	unescape(p);
	l->path = p;
	return true;
}

int maps_parse(struct maps *m, char *text)
{
	struct map_line l;
	taddr_t last = 0;

	for (char *line = text, *next; *line; line = next) {
		next = strchrnul(line, '\n');
		if (*next)
			*next++ = '\0';
		/* A line that is none, or not in order, is left out: the kernel
		 * may write one while mappings change. */
		if (!parse_line(line, &l) || l.start < last)
			continue;
		last = l.end;
		vec_push(&m->lines, l);
	}
	return 0;
}

static int read_text(const char *path, struct strbuf *sb)
{
	char buf[16384];
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	while ((n = read(fd, buf, sizeof buf)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err = -errno;
			break;
		}
		strbuf_add(sb, buf, (size_t)n);
	}
	close(fd);
	return err;
}

int maps_read(struct maps *m, pid_t pid)
{
	struct strbuf sb = STRBUF_INIT;
	char path[64];
	int err;

	memset(m, 0, sizeof *m);
	snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
	err = read_text(path, &sb);
	/* A zombie's maps are empty. */
	if (!err && sb.n == 0)
		err = -ESRCH;
	if (err) {
		strbuf_release(&sb);
		return err;
	}
	m->text = strbuf_detach(&sb);
	return maps_parse(m, m->text);
}

const struct map_line *maps_find(const struct maps *m, taddr_t addr)
{
	size_t lo = 0, hi = m->lines.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct map_line *l = &m->lines.v[mid];

		if (addr < l->start)
			hi = mid;
		else if (addr >= l->end)
			lo = mid + 1;
		else
			return l;
	}
	return NULL;
}

void maps_release(struct maps *m)
{
	vec_release(&m->lines);
	free(m->text);
	m->text = NULL;
}
