/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/msg.h"
#include "base/strbuf.h"

static struct {
	const char *program;
	enum msg_level level;
	int fd;
	void (*cleanup)(void);
	bool color;
	bool dying;
} conf = { .program = "mtrace", .level = MSG_NORMAL, .fd = STDERR_FILENO };

void msg_set_program(const char *name) { conf.program = name; }
const char *msg_program(void) { return conf.program; }
void msg_set_level(enum msg_level level) { conf.level = level; }
enum msg_level msg_level(void) { return conf.level; }
void msg_set_fd(int fd) { conf.fd = fd; }
int msg_fd(void) { return conf.fd; }
void msg_set_cleanup(void (*cleanup)(void)) { conf.cleanup = cleanup; }
void msg_set_color(bool on) { conf.color = on; }

static void say(bool dim, const char *fmt, va_list ap)
{
	struct strbuf sb = STRBUF_INIT;
	int saved = errno;
	size_t start;

	strbuf_adds(&sb, dim ? "\033[2m" : "");
	start = sb.n;
	strbuf_addf(&sb, "%s: ", conf.program);
	strbuf_vaddf(&sb, fmt, ap);
	defuse_controls(sb.s + start, sb.n - start);
	strbuf_adds(&sb, dim ? "\033[m\n" : "\n");
	write_all(conf.fd, sb.s, sb.n);
	strbuf_release(&sb);
	errno = saved;
}

#define SAY(fmt)                       \
	do {                           \
		va_list ap_;           \
		va_start(ap_, fmt);    \
		say(false, fmt, ap_);  \
		va_end(ap_);           \
	} while (0)

void msg_begin(const char *fmt, ...)
{
	va_list ap;

	if (conf.level < MSG_NORMAL)
		return;
	va_start(ap, fmt);
	say(conf.color, fmt, ap);
	va_end(ap);
}

void msg_info(const char *fmt, ...)
{
	if (conf.level >= MSG_NORMAL)
		SAY(fmt);
}

void msg_verbose(const char *fmt, ...)
{
	if (conf.level >= MSG_VERBOSE)
		SAY(fmt);
}

void msg_debug(const char *fmt, ...)
{
	if (conf.level >= MSG_DEBUG)
		SAY(fmt);
}

void msg_warn(const char *fmt, ...)
{
	SAY(fmt);
}

int msg_error(const char *fmt, ...)
{
	SAY(fmt);
	return -1;
}

void msg_vwarn(const char *fmt, va_list ap)
{
	say(false, fmt, ap);
}

/* The tracee is set free before anything else can go wrong. */
static void clean_up_once(void)
{
	if (conf.dying)
		_exit(EXIT_OURS);
	conf.dying = true;
	if (conf.cleanup)
		conf.cleanup();
}

void die(const char *fmt, ...)
{
	SAY(fmt);
	clean_up_once();
	exit(EXIT_OURS);
}

void bug_at(const char *file, int line, const char *fmt, ...)
{
	struct strbuf sb = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&sb, fmt, ap);
	va_end(ap);
	msg_error("BUG: %s:%d: %s", file, line, sb.s ? sb.s : "");
	clean_up_once();
	abort();
}
