// SPDX-License-Identifier: MIT
//
// cxx.cc - operator new in all its forms, and what happens when it fails
//
// What    Built as a program (with libstdc++ or libc++) and, with -DPLUGIN, as a library
//         whose exceptions cross over into the program that opened it.
// Why     new is C code in Ashlar: it must throw the std::bad_alloc of the C++ library that
//         the caller has, through the caller's frames, and call the new-handler first.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <map>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

static volatile size_t huge = PTRDIFF_MAX - 5000;
static int handled;
static void *volatile sink;

struct guard {
	int *n;
	~guard() { ++*n; }
};

struct alignas(256) wide {
	char c[512];
};

template <class F> static bool throws(F f)
{
	int unwound = 0;

	try {
		guard g{&unwound};
		sink = f();
	} catch (const std::bad_alloc &e) {
		return unwound == 1 && e.what() && *e.what();
	}
	return false;
}

static bool all_forms_throw()
{
	bool good = throws([] { return ::operator new(huge); });

	good &= throws([] { return ::operator new[](huge); });
	good &= throws([] { return ::operator new(huge, std::align_val_t(64)); });
	good &= throws([] { return ::operator new[](huge, std::align_val_t(4096)); });
	good &= throws([]() -> void * { return new char[huge]; });
	good &= !::operator new(huge, std::nothrow) && !::operator new[](huge, std::nothrow);
	good &= !::operator new(huge, std::align_val_t(64), std::nothrow);
	good &= !::operator new[](huge, std::align_val_t(64), std::nothrow);
	return good;
}

extern "C" int plugin_test();
extern "C" void plugin_throw();

extern "C" int plugin_test()
{
	return all_forms_throw();
}

extern "C" void plugin_throw()
{
	sink = ::operator new(huge);
}

#ifndef PLUGIN

static void handler_gives_up()
{
	if (++handled == 3)
		std::set_new_handler(nullptr);
}

static void handler_throws()
{
	handled++;
	throw std::bad_alloc();
}

static void new_handlers()
{
	handled = 0;
	std::set_new_handler(handler_gives_up);
	bool good = throws([] { return ::operator new(huge); }) && handled == 3;
	handled = 0;
	std::set_new_handler(handler_gives_up);
	good &= !::operator new(huge, std::nothrow) && handled == 3;
	std::printf("the new-handler is called until it gives up: %s\n", good ? "yes" : "no");
	handled = 0;
	std::set_new_handler(handler_throws);
	good = throws([] { return ::operator new[](huge); }) && handled == 1;
	good &= !::operator new(huge, std::nothrow) && handled == 2;
	std::set_new_handler(nullptr);
	std::printf("the new-handler may throw: %s\n", good ? "yes" : "no");
}

static void every_pair()
{
	bool good = true;

	for (size_t n = 0; n < 200000; n = n * 2 + 1) {
		void *p = ::operator new(n), *q = ::operator new[](n);
		good &= p && q && p != q && !((uintptr_t)p & 15);
		std::memset(p, 1, n);
		::operator delete(p, n);
		::operator delete[](q, n);
		p = ::operator new(n, std::nothrow);
		::operator delete(p, std::nothrow);
		for (size_t a = 1; a <= 8192; a *= 2) {
			p = ::operator new(n, std::align_val_t(a));
			q = ::operator new[](n, std::align_val_t(a), std::nothrow);
			good &= p && q && !((uintptr_t)p & (a - 1)) && !((uintptr_t)q & (a - 1));
			::operator delete(p, n, std::align_val_t(a));
			::operator delete[](q, std::align_val_t(a));
		}
	}
	::operator delete(nullptr);
	::operator delete[](nullptr, 10);
	std::unique_ptr<wide[]> w(new wide[7]);
	good &= !((uintptr_t)w.get() & 255);
	std::printf("new and delete in every form: %s\n", good ? "yes" : "no");
}

static void containers()
{
	std::map<std::string, std::vector<std::string>> m;

	for (int i = 0; i < 20000; i++)
		m[std::to_string(i % 997)].push_back(std::string((size_t)i % 90, 'x'));
	size_t n = 0;
	for (auto &e : m)
		n += e.second.size();
	bool caught = false;
	try {
		std::vector<char> v;
		v.reserve(huge - 100000);
	} catch (const std::exception &) {
		caught = true;
	}
	std::printf("containers: %zu, too large is refused: %s\n", n, caught ? "yes" : "no");
}

static void with_plugin(const char *name)
{
	void *so = dlopen(name, RTLD_NOW);

	if (!so)
		throw std::runtime_error(dlerror());
	auto test = (int (*)())dlsym(so, "plugin_test");
	auto thrower = (void (*)())dlsym(so, "plugin_throw");
	std::printf("thrown inside a plugin: %s\n", test() ? "yes" : "no");
	std::printf("thrown by a plugin, caught by the program: %s\n",
		    throws([=] { thrower(); return (void *)nullptr; }) ? "yes" : "no");
	dlclose(so);
}

static struct early {
	std::unique_ptr<std::string> s{new std::string(5000, 'e')};
	~early() { std::printf("static object: %zu\n", s->size()); }
} before_main;

int main(int, char **argv)
{
	std::printf("new throws std::bad_alloc: %s\n", all_forms_throw() ? "yes" : "no");
	new_handlers();
	every_pair();
	containers();
	with_plugin(argv[1]);
	return 0;
}
#endif
