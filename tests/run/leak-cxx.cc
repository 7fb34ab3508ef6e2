/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What C++ programs point to: bases that are not first, arrays behind their
 * count, characters behind a string's header. */
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "expect.h"

#define NOINLINE __attribute__((noinline, noclone))

struct first {
	virtual ~first() {}
	virtual int one() { return 1; }
	long a = 1;
};

struct second {
	virtual ~second() {}
	virtual int two() { return 2; }
	long b = 2;
};

struct both : first, second {
	std::unique_ptr<std::string> text;
	both() : text(new std::string(100, 'x')) {}
};

struct counted {
	long v = 7;
	~counted() { KEEP(v); }
};

static void *volatile global;

static void classes(int definite, int indirect, int possible, int reachable)
{
	expect("leaks.definite.blocks", definite);
	expect("leaks.indirect.blocks", indirect);
	expect("leaks.possible.blocks", possible);
	/* libstdc++'s emergency pool is reachable, always. */
	expect("leaks.reachable.blocks", reachable + 1);
}

static second *volatile base;

NOINLINE static void bases()
{
	base = new both;
	classes(0, 0, 0, 3);
}

NOINLINE static void array()
{
	global = new counted[12];
	classes(0, 0, 0, 1);
}

NOINLINE static void string()
{
	global = new std::string(60, 'y');
	classes(0, 0, 0, 2);
}

/* With the old layout of strings, whose header lies before the characters. */
NOINLINE static void cow()
{
	std::string *s = new std::string(60, 'y');

	KEEP(s);
	global = *reinterpret_cast<void **>(s);
	*reinterpret_cast<void **>(s) = nullptr;
	classes(1, 0, 0, 1);
}

/* A block that begins with the size of the rest (sqlite). */
NOINLINE static void length()
{
	uint64_t *p = static_cast<uint64_t *>(malloc(128));

	memset(p, 0, 128);
	p[0] = 120;
	global = p + 1;
	classes(0, 0, 0, 1);
}

static std::map<std::string, std::vector<int>> *volatile tree;

NOINLINE static void containers()
{
	auto *m = new std::map<std::string, std::vector<int>>;

	for (int i = 0; i < 20; i++)
		(*m)["a key that does not fit into the string itself " + std::to_string(i)]
			.assign(static_cast<size_t>(i) + 1, i);
	tree = m;
	classes(0, 0, 0, 61);
}

NOINLINE static void lost_object()
{
	both *p = new both;

	KEEP(p);
	classes(1, 2, 0, 0);
}

NOINLINE static void scrub()
{
	char room[16384];
	char *p = room;

	memset(p, 0, sizeof room);
	KEEP(p);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)();
	} shapes[] = {
		{ "bases", bases },   { "array", array },	    { "string", string }, { "cow", cow },
		{ "length", length }, { "containers", containers }, { "lost-object", lost_object },
	};

	for (const auto &s : shapes)
		if (argc > 1 && !strcmp(argv[1], s.name)) {
			s.run();
			scrub();
			return 0;
		}
	return 96;
}
