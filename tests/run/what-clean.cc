/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads, containers, exceptions, aligned, sized, empty and nothrow forms: all
 * as it should be, so no error is told, and none of a block's ends is missed. */
#include <atomic>
#include <map>
#include <memory>
#include <new>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
#include "expect.h"

struct alignas(64) wide {
	char c[128];
};

struct base {
	virtual ~base() {}
	int x = 0;
};

struct derived : base {
	std::string s;
};

static void everything(int n)
{
	std::map<int, std::string> names;
	std::vector<std::unique_ptr<base>> objects;
	std::vector<wide> wides(3);
	std::ostringstream out;

	for (int i = 0; i < ROUNDS_OF(100, 30); i++) {
		names[i] = std::string((size_t)i, 'x');
		objects.emplace_back(new derived);
	}
	delete[] new derived[5];
	delete[] new (std::nothrow) char[100];
	delete[] new int[0];
	delete new wide;
	out << n << 1.5;
	try {
		throw std::runtime_error(out.str());
	} catch (std::exception &) {
	}
	free(realloc(malloc(10), 100));
	free(aligned_alloc(64, 128));
	free(NULL);
}

int main()
{
	std::vector<std::thread> threads;

	for (int i = 0; i < 6; i++)
		threads.emplace_back(everything, i);
	for (auto &t : threads)
		t.join();
	expect("error_count", 0);
	expect("unseen_releases", 0);
	expect("allocs >=", 6 * 2 * ROUNDS_OF(100, 30));
	return 0;
}
