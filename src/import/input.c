/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/msg.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "import/input.h"

struct import_input {
	int fd;
	char *path;
	const char *name;
	bool line;             /* termios as it was is in `before` */
	bool standard;
	bool follow;
	struct termios before;
	uint64_t at;           /* bytes read of a file that grows */
};

static const struct { unsigned long baud; speed_t speed; } speeds[] = {
	{ 1200, B1200 }, { 2400, B2400 }, { 4800, B4800 }, { 9600, B9600 }, { 19200, B19200 },
	{ 38400, B38400 }, { 57600, B57600 }, { 115200, B115200 }, { 230400, B230400 },
	{ 460800, B460800 }, { 500000, B500000 }, { 576000, B576000 }, { 921600, B921600 },
	{ 1000000, B1000000 }, { 1152000, B1152000 }, { 1500000, B1500000 }, { 2000000, B2000000 },
	{ 2500000, B2500000 }, { 3000000, B3000000 }, { 3500000, B3500000 }, { 4000000, B4000000 },
};

unsigned long input_baud(size_t i)
{
	return i < ARRAY_SIZE(speeds) ? speeds[i].baud : 0;
}

static bool find_speed(unsigned long baud, speed_t *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(speeds); i++)
		if (speeds[i].baud == baud) {
			*out = speeds[i].speed;
			return true;
		}
	return false;
}

bool input_knows_baud(unsigned long baud)
{
	speed_t speed;

	return find_speed(baud, &speed);
}

/* Eight bits, no parity, no flow control, nothing interpreted; modem lines are ignored,
 * which three wires do not have. */
static int make_raw(struct import_input *in, unsigned long baud)
{
	struct termios raw;
	speed_t speed = B115200;

	if (tcgetattr(in->fd, &in->before))
		return msg_error("cannot set up %s: %s", in->path, strerror(errno));
	raw = in->before;
	cfmakeraw(&raw);
	raw.c_cflag |= CLOCAL | CREAD;
	raw.c_cflag &= ~(tcflag_t)CRTSCTS;
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	find_speed(baud, &speed);
	cfsetispeed(&raw, speed);
	cfsetospeed(&raw, speed);
	if (tcsetattr(in->fd, TCSANOW, &raw))
		return msg_error("cannot set %s to %lu baud: %s", in->path, baud, strerror(errno));
	in->line = true;
	return 0;
}

/* A line without a carrier would be waited for. */
static int open_path(struct import_input *in, const char *path)
{
	in->fd = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (in->fd < 0)
		return msg_error("cannot read %s: %s", path, strerror(errno));
	fcntl(in->fd, F_SETFL, fcntl(in->fd, F_GETFL) & ~O_NONBLOCK);
	return 0;
}

static int begin(struct import_input *in, const struct input_opts *o)
{
	struct stat st;

	if (!in->standard && open_path(in, o->path))
		return -1;
	if (fstat(in->fd, &st))
		return msg_error("cannot read %s: %s", in->name, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return msg_error("cannot read %s: %s", in->path, strerror(EISDIR));
	if (o->follow && !S_ISREG(st.st_mode) && (in->standard || !isatty(in->fd)))
		return msg_error("--follow is for files that grow, and %s is none", in->name);
	in->follow = o->follow && S_ISREG(st.st_mode);
	/* What somebody types needs its terminal as it is. */
	return !in->standard && isatty(in->fd) ? make_raw(in, o->baud) : 0;
}

struct import_input *input_open(const struct input_opts *o)
{
	struct import_input *in = xcalloc(1, sizeof *in);
	char *whole;

	in->standard = !strcmp(o->path, "-");
	in->fd = in->standard ? STDIN_FILENO : -1;
	whole = in->standard ? NULL : realpath(o->path, NULL);
	in->path = whole ? whole : xstrdup(in->standard ? "the standard input" : o->path);
	in->name = in->standard ? in->path : !strncmp(in->path, "/dev/", 5) ? in->path + 5 : last_part(in->path);
	if (begin(in, o)) {
		input_close(in);
		return NULL;
	}
	return in;
}

void input_close(struct import_input *in)
{
	if (!in)
		return;
	if (in->line)
		tcsetattr(in->fd, TCSANOW, &in->before);
	if (in->fd >= 0 && !in->standard)
		close(in->fd);
	free(in->path);
	free(in);
}

bool input_is_line(const struct import_input *in)
{
	return in->line;
}

const char *input_name(const struct import_input *in)
{
	return in->name;
}

const char *input_path(const struct import_input *in)
{
	return in->path;
}

int input_fd(const struct import_input *in)
{
	return in->follow ? -1 : in->fd;
}

/* Another file has the name now, and all of the old one was read. */
static bool reopen(struct import_input *in)
{
	struct stat is, was;
	int fd;

	if (in->standard || stat(in->path, &is) || fstat(in->fd, &was) ||
	    (is.st_dev == was.st_dev && is.st_ino == was.st_ino))
		return false;
	fd = open(in->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	close(in->fd);
	in->fd = fd;
	in->at = 0;
	return true;
}

static bool truncated(struct import_input *in)
{
	struct stat st;

	if (fstat(in->fd, &st) || (uint64_t)st.st_size >= in->at)
		return false;
	in->at = 0;
	return lseek(in->fd, 0, SEEK_SET) == 0;
}

ssize_t input_read(struct import_input *in, void *buf, size_t n)
{
	ssize_t got = read(in->fd, buf, n);

	if (got < 0)
		return errno == EIO && in->line ? 0 : -errno; /* it was unplugged */
	in->at += (uint64_t)got;
	if (got || !in->follow)
		return got;
	return truncated(in) || reopen(in) ? -ESTALE : -EAGAIN;
}
