// SPDX-License-Identifier: GPL-2.0-or-later
// iostream, containers, exceptions and aligned new: what C++ programs do with the heap.
#include <algorithm>
#include <deque>
#include <functional>
#include <iostream>
#include <list>
#include <map>
#include <memory>
#include <new>
#include <sstream>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

struct alignas(64) line {
	char bytes[192];
};

struct node {
	std::string name;
	std::vector<std::unique_ptr<node>> children;

	explicit node(std::string n) : name(std::move(n)) {}
	virtual ~node() = default;
};

static std::unique_ptr<node> tree(int depth)
{
	auto n = std::make_unique<node>("a name that is too long to lie in the string " + std::to_string(depth));

	for (int i = 0; depth > 0 && i < 3; i++)
		n->children.push_back(tree(depth - 1));
	return n;
}

static int thrower(int i)
{
	std::string held(40 + i, 'x');

	if (i % 3 == 0)
		throw std::runtime_error("the " + held);
	if (i % 3 == 1)
		throw i;
	return static_cast<int>(held.size());
}

static long exceptions()
{
	long sum = 0;

	for (int i = 0; i < 300; i++) {
		try {
			sum += thrower(i);
		} catch (const std::exception &e) {
			sum += static_cast<long>(std::string(e.what()).size());
		} catch (int n) {
			sum += n;
		}
	}
	return sum;
}

static long containers()
{
	std::map<int, std::string> sorted;
	std::unordered_map<std::string, int> hashed;
	std::list<double> list;
	std::deque<long> deque;
	std::vector<std::function<long(long)>> functions;
	long sum = 0;

	for (int i = 0; i < 2000; i++) {
		sorted[i * 7919 % 2000] = std::to_string(i) + " and some more characters";
		hashed[std::to_string(i)] = i;
		list.push_front(i * 0.5);
		deque.push_back(i);
		if (i % 3 == 0)
			deque.pop_front();
		std::string captured(i % 60, 'c');
		functions.emplace_back([captured](long n) { return n + static_cast<long>(captured.size()); });
	}
	for (auto &f : functions)
		sum = f(sum);
	list.sort();
	sorted.erase(sorted.begin(), sorted.find(1000));
	for (auto &pair : sorted)
		sum += static_cast<long>(pair.second.size());
	return sum + static_cast<long>(hashed.size() + deque.size());
}

static long operators()
{
	long sum = 0;

	for (int i = 0; i < 100; i++) {
		line *one = new line, *some = new line[i % 5 + 1];
		char *bytes = new char[i], *nothrow = new (std::nothrow) char[i * 3];
		int *number = new int(i);
		void *raw = ::operator new(i * 11, std::align_val_t(128));

		sum += reinterpret_cast<uintptr_t>(raw) % 128 + *number;
		::operator delete(raw, std::align_val_t(128));
		delete number;
		delete[] nothrow;
		delete[] bytes;
		delete[] some;
		if (i % 10)
			delete one;
	}
	return sum;
}

int main()
{
	auto root = tree(5);
	std::ostringstream text;
	long sum = exceptions() + containers() + operators();

	for (int i = 0; i < 1000; i++)
		text << i << ' ' << i * 0.25 << '\n';
	std::istringstream in(text.str());
	for (double d; in >> d;)
		sum += static_cast<long>(d);
	std::cout << "cxx: " << sum << std::endl;
	new std::string("left at exit, and longer than fits into the object itself");
	root->children.pop_back();
	root.release();
	return 0;
}
