// SPDX-License-Identifier: GPL-2.0-or-later
// C++ that allocates at all depths: containers, strings, streams, exceptions,
// signals on another stack, a second thread.  For unwind-compare.
#include <algorithm>
#include <csignal>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

static void handler(int)
{
	delete new std::string("allocated in a handler, which one should not do");
}

__attribute__((noinline)) static int thrower(int n)
{
	std::string local(static_cast<size_t>(n) + 20, 'x');

	if (n == 0)
		throw std::runtime_error(local);
	return thrower(n - 1) + static_cast<int>(local.size());
}

static int exceptions(int n)
{
	try {
		return thrower(n);
	} catch (const std::exception &e) {
		return static_cast<int>(std::string(e.what()).size());
	}
}

static size_t containers(int n)
{
	std::map<std::string, std::vector<std::unique_ptr<std::string>>> map;

	for (int i = 0; i < n; i++) {
		std::ostringstream out;

		out << "key number " << i % 7 << ' ' << i * 0.5;
		map[out.str()].push_back(std::make_unique<std::string>(out.str() + " and more"));
	}
	std::vector<std::string> keys;
	std::transform(map.begin(), map.end(), std::back_inserter(keys),
		       [](const auto &pair) { return pair.first + " copied"; });
	std::sort(keys.begin(), keys.end(), std::greater<std::string>());
	return keys.size();
}

static void other_thread(size_t *sum)
{
	for (int i = 0; i < 20; i++)
		*sum += containers(i % 9);
}

int main()
{
	static char room[65536];
	struct sigaction sa = {};
	stack_t ss = {};
	size_t sum = 0;

	ss.ss_sp = room;
	ss.ss_size = sizeof room;
	sigaltstack(&ss, nullptr);
	sa.sa_handler = handler;
	sa.sa_flags = SA_ONSTACK;
	sigaction(SIGUSR1, &sa, nullptr);
	for (int i = 0; i < 60; i++) {
		sum += static_cast<size_t>(exceptions(i % 40));
		sum += containers(i % 11);
		if (i % 4 == 0)
			raise(SIGUSR1);
	}
	std::thread thread(other_thread, &sum);
	thread.join();
	return sum == 0;
}
