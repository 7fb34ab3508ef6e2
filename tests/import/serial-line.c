/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A serial line with a target at its other end: a pseudo-terminal (pty(7)), on which the
 * standard input is said at 115200 baud, as soon as somebody has set the line up.
 *
 *	serial-line NAME
 *
 * The file NAME gets the device's name.  Said are, on the standard output, how the line
 * was set up, and how it is at the end; that of the input unplugs the device. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { BYTES_PER_S = 115200 / 10, PIECE = 64, PATIENCE = 3000 };

static void sleep_us(long us)
{
	nanosleep(&(struct timespec){ us / 1000000, us % 1000000 * 1000 }, NULL);
}

/* Another process finds all of the name, or no file. */
static int tell_name(const char *path, const char *name)
{
	char draft[4096];
	FILE *f;

	snprintf(draft, sizeof draft, "%s.tmp", path);
	f = fopen(draft, "w");
	if (!f || fprintf(f, "%s\n", name) < 0 || fclose(f))
		return -1;
	return rename(draft, path);
}

static void tell_state(int master)
{
	struct termios t;

	if (tcgetattr(master, &t))
		return;
	printf("%s %s\n", t.c_lflag & (ICANON | ECHO | ISIG) ? "cooked" : "raw",
	       cfgetospeed(&t) == B115200 ? "115200" : "another speed");
	fflush(stdout);
}

static int await_raw(int master)
{
	struct termios t;

	for (int i = 0; i < PATIENCE; i++) {
		if (!tcgetattr(master, &t) && !(t.c_lflag & ICANON))
			return 0;
		sleep_us(10000);
	}
	fprintf(stderr, "nobody has set up the line\n");
	return -1;
}

static int say(int master, const char *bytes, ssize_t n)
{
	while (n > 0) {
		ssize_t done = write(master, bytes, (size_t)n);

		if (done < 0)
			return -1;
		sleep_us(done * 1000000 / BYTES_PER_S);
		bytes += done;
		n -= done;
	}
	return 0;
}

int main(int argc, char **argv)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave = -1;
	char piece[PIECE];
	ssize_t n;

	if (argc < 2 || master < 0 || grantpt(master) || unlockpt(master)) {
		perror("serial-line");
		return 1;
	}
	slave = open(ptsname(master), O_RDWR | O_NOCTTY); /* it stays when a reader goes */
	if (slave < 0 || tell_name(argv[1], ptsname(master))) {
		perror("serial-line");
		return 1;
	}
	if (await_raw(master))
		return 1;
	tell_state(master);
	while ((n = read(STDIN_FILENO, piece, sizeof piece)) > 0)
		if (say(master, piece, n))
			break;
	tell_state(master);
	close(master);
	return 0;
}
