/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/xalloc.h"
#include "source.h"

struct source_file {
	char *name;
	char *text;            /* NULL: not here, or of no use */
	VEC(const char *) lines;
};

struct source {
	const struct report_opts *opts;
	VEC(struct source_file *) files;
	struct u64map by_name; /* hash → struct source_file * */
	size_t bytes;          /* that were read */
};

struct source *source_new(const struct report_opts *opts)
{
	struct source *s = xcalloc(1, sizeof *s);

	s->opts = opts;
	return s;
}

void source_free(struct source *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->files.n; i++) {
		free(s->files.v[i]->name);
		free(s->files.v[i]->text);
		vec_release(&s->files.v[i]->lines);
		free(s->files.v[i]);
	}
	vec_release(&s->files);
	u64map_release(&s->by_name);
	free(s);
}

static size_t read_all(int fd, char *to, size_t n)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got = read(fd, to + have, n - have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		have += (size_t)got;
	}
	return have;
}

/* A text; NULL: what is there is no file, too large, or binary.  A pipe or a device
 * must not make us wait. */
static char *read_text(struct source *s, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char *text = NULL;
	struct stat st;
	size_t n;

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0 &&
	    st.st_size <= SOURCE_FILE_MAX && s->bytes + (size_t)st.st_size <= SOURCE_MAX) {
		text = xmalloc((size_t)st.st_size + 1);
		n = read_all(fd, text, (size_t)st.st_size);
		text[n] = '\0';
		if (strlen(text) == n && n) {
			s->bytes += n;
		} else {
			free(text);
			text = NULL;
		}
	}
	close(fd);
	return text;
}

/* Below a folder: under the whole name, then without its first folder, and so on. */
static char *read_below(struct source *s, const char *folder, const char *name)
{
	char *text = NULL;

	for (const char *rest = name; rest && !text; rest = strchr(rest, '/')) {
		char *path;

		rest += strspn(rest, "/");
		path = xasprintf("%s/%s", folder, rest);
		text = read_text(s, path);
		free(path);
	}
	return text;
}

static void split(struct source_file *f)
{
	char *rest = f->text, *line;

	while ((line = strsep(&rest, "\n"))) {
		size_t n = strlen(line);

		if (n > SOURCE_LINE_MAX)
			line[n = SOURCE_LINE_MAX] = '\0';
		if (n && line[n - 1] == '\r')
			line[n - 1] = '\0';
		vec_push(&f->lines, line);
	}
}

static struct source_file *load(struct source *s, const char *name)
{
	const char *const *folder = s->opts->source_path;
	struct source_file *f = xcalloc(1, sizeof *f);

	f->name = xstrdup(name);
	for (; folder && *folder && !f->text; folder++)
		f->text = read_below(s, *folder, name);
	if (!f->text && name[0] == '/')
		f->text = read_text(s, name);
	else if (!f->text && s->opts->cwd)
		f->text = read_below(s, s->opts->cwd, name);
	if (f->text)
		split(f);
	vec_push(&s->files, f);
	return f;
}

static const struct source_file *file_of(struct source *s, const char *name)
{
	uint64_t hash = hash_bytes(name, strlen(name), 0);
	struct source_file *f;

	while ((f = u64map_getp(&s->by_name, hash))) {
		if (!strcmp(f->name, name))
			return f;
		hash = hash_u64(hash + 1);
	}
	f = load(s, name);
	u64map_set(&s->by_name, hash, (uintptr_t)f);
	return f;
}

size_t source_lines(struct source *s, const char *dir, const char *file, unsigned line,
		    const char **out, size_t n)
{
	const struct source_file *f = NULL;
	size_t from;
	char *name;

	if (file && line) {
		name = file[0] == '/' || !dir ? xstrdup(file) : xasprintf("%s/%s", dir, file);
		f = file_of(s, name);
		free(name);
	}
	if (!f || line > f->lines.n)
		return 0;
	from = line > n ? line - n : 0;
	for (size_t i = from; i < line; i++)
		out[i - from] = f->lines.v[i];
	return line - from;
}
