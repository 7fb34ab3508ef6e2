/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A cable between two network namespaces: a TUN device (tuntap.rst of the kernel) in
 * each, and this process, which carries the packets over.
 *
 *   cable NAMESPACE DEVICE NAMESPACE DEVICE DELAY_MS LOSS
 *
 * Each packet comes DELAY_MS after it was sent; every LOSSth one of a direction is lost
 * (0: none).  Lines of standard input: `cut`, after which nothing gets through, `mend`.
 * Each is answered by `done`; before the first comes `ready`, and at the end of the input
 * how many packets were carried, lost and cut off.  Status 77: there can be no cable. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { PACKET_MAX = 1 << 16, UNDER_WAY = 1024, SKIP = 77 };

struct packet {
	long due_ms;
	size_t n;
	char *bytes;
};

/* From one end to the other: a ring of what is under way. */
struct direction {
	int from, to;
	struct packet ring[UNDER_WAY];
	unsigned first, n;
	unsigned long seen;
};

static long delay_ms;
static unsigned long loss, carried, lost, cut_off;
static int is_cut;

static void give_up(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	exit(SKIP);
}

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* A device belongs to the namespace in which it is made; its descriptor to anybody. */
static int make_end(const char *namespace, const char *device)
{
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	char path[256];
	int ns, fd;

	snprintf(path, sizeof path, "/run/netns/%s", namespace);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWNET))
		give_up(path);
	close(ns);
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		give_up("/dev/net/tun");
	snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", device);
	if (ioctl(fd, TUNSETIFF, &ifr))
		give_up(device);
	return fd;
}

/* One more packet is under way, or it never arrives. */
static void take(struct direction *d, const char *bytes, size_t n)
{
	struct packet *p = &d->ring[(d->first + d->n) % UNDER_WAY];

	d->seen++;
	if (is_cut) {
		cut_off++;
	} else if ((loss && d->seen % loss == 0) || d->n == UNDER_WAY) {
		lost++;
	} else {
		*p = (struct packet){ now_ms() + delay_ms, n, memcpy(malloc(n), bytes, n) };
		d->n++;
	}
}

static void take_all(struct direction *d)
{
	static char bytes[PACKET_MAX];
	ssize_t n;

	while ((n = read(d->from, bytes, sizeof bytes)) > 0)
		take(d, bytes, (size_t)n);
}

/* What is due arrives.  A device that is down takes nothing. */
static void deliver(struct direction *d)
{
	while (d->n && d->ring[d->first].due_ms <= now_ms()) {
		struct packet *p = &d->ring[d->first];

		if (is_cut)
			cut_off++;
		else if (write(d->to, p->bytes, p->n) == (ssize_t)p->n)
			carried++;
		else
			lost++;
		free(p->bytes);
		d->first = (d->first + 1) % UNDER_WAY;
		d->n--;
	}
}

static int time_to_wait(const struct direction *d)
{
	long ms = -1;

	for (int i = 0; i < 2; i++) {
		long due = d[i].n ? d[i].ring[d[i].first].due_ms - now_ms() : -1;

		if (d[i].n && (ms < 0 || due < ms))
			ms = due < 0 ? 0 : due;
	}
	return (int)ms;
}

/* 0: the input has ended. */
static int obey(void)
{
	char line[64];

	if (!fgets(line, sizeof line, stdin))
		return 0;
	is_cut = !strcmp(line, "cut\n");
	puts("done");
	return 1;
}

static void carry(struct direction *d)
{
	struct pollfd p[3] = { { d[0].from, POLLIN, 0 }, { d[1].from, POLLIN, 0 },
			       { STDIN_FILENO, POLLIN, 0 } };

	for (;;) {
		poll(p, 3, time_to_wait(d));
		for (int i = 0; i < 2; i++) {
			take_all(&d[i]);
			deliver(&d[i]);
		}
		if (p[2].revents && !obey())
			return;
	}
}

int main(int argc, char **argv)
{
	static struct direction d[2];
	int a, b;

	if (argc != 7)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	setvbuf(stdin, NULL, _IONBF, 0);
	a = make_end(argv[1], argv[2]);
	b = make_end(argv[3], argv[4]);
	delay_ms = atol(argv[5]);
	loss = (unsigned long)atol(argv[6]);
	d[0].from = d[1].to = a;
	d[0].to = d[1].from = b;
	puts("ready");
	carry(d);
	printf("%lu carried, %lu lost, %lu cut off\n", carried, lost, cut_off);
	return 0;
}
