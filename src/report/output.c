/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where reports go. */
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/msg.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "view.h"

/* Where there is no terminal: C++ names of a thousand columns serve nobody in
 * a log either. */
#define PLAIN_WIDTH 100

static int complain(const char *path, int err)
{
	if (err)
		msg_error("cannot write %s: %s", path, strerror(-err));
	return err;
}

/* A file system may tell that it is full only when the file is closed. */
static int write_file(const char *path, const struct strbuf *sb)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
	int err;

	if (fd < 0)
		return complain(path, -errno);
	err = write_patiently(fd, sb->s, sb->n);
	if (close(fd) && !err && errno != EINTR)
		err = -errno;
	return complain(path, err);
}

static pid_t first_pid(const struct heap *heap)
{
	return heap_nprocs(heap) ? heap_proc_at(heap, 0)->pid : getpid();
}

static int write_named(const char *name, const struct heap *heap, const struct strbuf *sb)
{
	char *path;
	int err;

	if (!strcmp(name, "-"))
		return complain("standard output", write_patiently(STDOUT_FILENO, sb->s, sb->n));
	path = name_with_pid(name, first_pid(heap));
	err = write_file(path, sb);
	free(path);
	return err;
}

bool report_use_color(const struct report_opts *opts, int fd)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (opts->color != COLOR_AUTO)
		return opts->color == COLOR_ALWAYS;
	return isatty(fd) && !(no && *no) && !(term && !strcmp(term, "dumb"));
}

/* Our own locale stays C: numbers and messages are the same everywhere. */
bool report_use_utf8(int fd)
{
	locale_t l = isatty(fd) ? newlocale(LC_CTYPE_MASK, "", (locale_t)0) : (locale_t)0;
	bool is = l && !strcmp(nl_langinfo_l(CODESET, l), "UTF-8");

	if (l)
		freelocale(l);
	return is;
}

unsigned report_width(const struct report_opts *opts, int fd)
{
	struct winsize ws;

	if (opts->width)
		return opts->width;
	return isatty(fd) && !ioctl(fd, TIOCGWINSZ, &ws) && ws.ws_col ? ws.ws_col : PLAIN_WIDTH;
}

static int write_text(const struct heap *heap, const struct report_opts *opts)
{
	struct strbuf sb = STRBUF_INIT;
	struct report_page page;
	int err = 0, fd = -1;

	if (!opts->output)
		fd = msg_fd();
	else if (opts->output_fd >= 0)
		fd = opts->output_fd;
	else if (!strcmp(opts->output, "-"))
		fd = STDOUT_FILENO;
	/* Apart from what the program wrote before, and from --calls. */
	if (!opts->quiet && (!opts->output || opts->output_fd >= 0))
		strbuf_addc(&sb, '\n');
	page = (struct report_page){ opts->output, report_use_color(opts, fd),
				     opts->output ? 0 : report_width(opts, fd), report_use_utf8(fd) };
	report_text_page(heap, opts, &page, &sb);
	if (opts->output && fd < 0)
		err = write_named(opts->output, heap, &sb);
	else if (opts->output)
		err = complain(fd == STDOUT_FILENO ? "standard output" : opts->output,
			       write_patiently(fd, sb.s, sb.n));
	else
		err = write_patiently(fd, sb.s, sb.n);
	strbuf_release(&sb);
	/* Who closed standard error, or stopped reading it, wants no report. */
	if (!opts->output && (err == -EBADF || err == -EPIPE))
		err = 0;
	return err;
}

static int write_json(const struct heap *heap, const struct report_opts *opts)
{
	struct strbuf sb = STRBUF_INIT;
	int err;

	report_json(heap, opts, &sb);
	err = write_named(opts->json, heap, &sb);
	strbuf_release(&sb);
	return err;
}

static bool has_pid(const char *name)
{
	char *one = name_with_pid(name, 1), *two = name_with_pid(name, 2);
	bool differ = strcmp(one, two) != 0;

	free(one);
	free(two);
	return differ;
}

/* A document is one process's.  Where the name tells no processes apart, that
 * of all but the first gets one that does. */
static int write_xml_document(void *arg, size_t nth, pid_t pid, const struct strbuf *sb)
{
	const struct report_opts *opts = arg;
	char *path;
	int err;

	if (!strcmp(opts->xml, "-")) {
		if (nth == 1)
			msg_warn("XML of the first process only: give the others a file, xml:FILE");
		return nth ? 0 : complain("standard output",
					  write_patiently(STDOUT_FILENO, sb->s, sb->n));
	}
	path = name_with_pid(opts->xml, pid);
	if (nth && !has_pid(opts->xml)) {
		char *own = xasprintf("%s.%d", path, (int)pid);

		free(path);
		path = own;
	}
	err = write_file(path, sb);
	free(path);
	return err;
}

int report_export(const struct heap *heap, const struct report_opts *opts)
{
	int err = opts->json ? write_json(heap, opts) : 0;
	int xml = opts->xml ? report_xml(heap, opts, write_xml_document,
					 (void *)(uintptr_t)opts) : 0;

	return err ? err : xml;
}

/* The exports first: the text's verdict is to be the last line. */
int report_write(const struct heap *heap, const struct report_opts *opts)
{
	int err = report_export(heap, opts), text = write_text(heap, opts);

	return err ? err : text;
}
